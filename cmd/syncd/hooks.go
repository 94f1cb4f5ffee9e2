package main

import (
	"fmt"
	"log/slog"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/webhook"
)

// hooked is who looks when a webhook comes.
type hooked interface {
	// Poll lets the repository be looked at now; it does not block.
	Poll()
	// Ready tells whether that would be of any use.
	Ready() bool
}

// receiver makes the receiver of webhooks; nil where none are configured.
func receiver(conf config.Webhook, who hooked, log *slog.Logger) (*webhook.Receiver, error) {
	if conf.Listen == "" {
		return nil, nil
	}
	return webhook.New(webhook.Options{Webhook: conf, Look: who.Poll, Ready: who.Ready, Log: log})
}

// checkHooks reads the secrets of webhooks, and the certificate; nothing where there
// are none.
func checkHooks(conf config.Webhook) []finding {
	const name = "webhook"
	if conf.Listen == "" {
		return nil
	}
	if _, err := webhook.New(webhook.Options{Webhook: conf}); err != nil {
		return []finding{failing(name, err, "")}
	}
	return []finding{{Check: name, OK: true, Detail: fmt.Sprintf("%d hook(s) at %s%s/NAME", len(conf.Hooks), conf.Listen, conf.Path)}}
}
