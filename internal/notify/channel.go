package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
)

// channel is somebody who can be told.
type channel interface {
	// send makes one attempt, which ends with ctx. Its error is Rejected where no other
	// attempt could do better, and holds no secret.
	send(ctx context.Context, m Message) error
}

// channelOf makes a channel of its settings. Nothing is read or connected to before
// something is to be told.
func channelOf(name, host string, conf config.Channel) channel {
	web := web{name: name, conf: conf}
	switch conf.Type {
	case config.Email:
		return &email{web}
	case config.Command:
		return &command{conf}
	case config.Alertmanager:
		return &alertmanager{web}
	case "webhook":
		return &hook{web, host}
	default:
		return &chat{web}
	}
}

// deliver is how a message that waits reaches a channel.
func (n *Notifier) deliver(name string) func(context.Context, outbox.Item) error {
	return func(ctx context.Context, item outbox.Item) error {
		var m Message
		if err := json.Unmarshal(item.Body, &m); err != nil {
			return fault.As(fault.Rejected, fmt.Errorf("read a message: %w", err))
		}
		return n.channels[name].send(ctx, m)
	}
}

// Check finds out whether this configuration would do on a host with these labels:
// templates are tried, and secrets are read. notes say what is of no use. Nobody is
// told anything. Errors: Rejected for a template that fails; those of words, and of
// secrets.
func Check(ctx context.Context, conf config.Notify, labels map[string]string, words Wording) (notes []string, err error) {
	for i, r := range conf.Routes {
		if err := routeOf(r, i, words).tried(ctx); err != nil {
			return nil, err
		}
	}
	_, notes = routesOf(conf, labels, words)
	for _, name := range sortedKeys(conf.Channels) {
		if err := (web{name: name, conf: conf.Channels[name]}).readable(); err != nil {
			return notes, err
		}
	}
	return notes, nil
}

// sortedKeys are a map's keys, in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
