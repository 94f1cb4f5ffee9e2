package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// The clocks of Alertmanager: what is so is said again, as "Sending alerts" in its
// documentation asks for: every 30 seconds to 3 minutes; and is over by itself where
// nobody says so any more.
const (
	resend     = 3 * time.Minute
	expiry     = 5 * resend
	alertBatch = 200
	firstRetry = 2 * time.Second
)

// alert keeps what a fact means to the channels that are told what is so: routes are
// those that were told of it.
func (k *keeping) alert(t Told, routes map[string]time.Time) error {
	of := thread(t.Fact)
	if of == "" || kinds()[t.Event].phase == aside {
		return nil
	}
	names := k.told(routes)
	if kinds()[t.Event].phase == end { // whoever was told
		names = k.alertmanagers()
	}
	for _, name := range names {
		if err := k.keepAlert(name, of, t); err != nil {
			return err
		}
		k.rung[name] = true
	}
	return nil
}

// told are the channels of Alertmanager that these routes lead to.
func (k *keeping) told(routes map[string]time.Time) []string {
	var names []string
	for _, r := range k.routes {
		if _, ok := routes[r.name]; !ok {
			continue
		}
		for _, to := range r.To {
			if k.opts.Channels[to].Type == config.Alertmanager && !slices.Contains(names, to) {
				names = append(names, to)
			}
		}
	}
	return names
}

// alertmanagers are all channels that are told what is so.
func (k *keeping) alertmanagers() []string {
	return slices.DeleteFunc(sortedKeys(k.opts.Channels), func(name string) bool { return k.opts.Channels[name].Type != config.Alertmanager })
}

// keepAlert keeps the alert of an incident, and ends what it was before.
func (k *keeping) keepAlert(channel, of string, t Told) error {
	shelf, now := alertsShelf+channel, alertOf(k.opts.Host, t)
	firing := kinds()[t.Event].phase == trouble
	for _, key := range k.tx.Keys(shelf) {
		if !strings.HasPrefix(key, of+" ") {
			continue
		}
		var old alert
		if _, err := k.tx.Get(shelf, key, &old); err != nil {
			return err
		}
		if firing && key == of+" "+now.Labels["alertname"] {
			now.StartsAt = old.StartsAt
			continue
		}
		if !old.over() {
			old.EndsAt = k.now.UTC()
			if err := k.tx.Put(shelf, key, old); err != nil {
				return err
			}
		}
	}
	if !firing {
		return nil
	}
	return k.tx.Put(shelf, of+" "+now.Labels["alertname"], now)
}

// endAlertsOf ends the alerts of one incident, on all channels.
func (k *keeping) endAlertsOf(of string) error {
	for _, name := range k.alertmanagers() {
		shelf := alertsShelf + name
		for _, key := range k.tx.Keys(shelf) {
			var a alert
			if !strings.HasPrefix(key, of+" ") {
				continue
			}
			if _, err := k.tx.Get(shelf, key, &a); err != nil {
				return err
			}
			if a.over() {
				continue
			}
			a.EndsAt, k.rung[name] = k.now.UTC(), true
			if err := k.tx.Put(shelf, key, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// endAlerts ends the alerts of incidents that are none any more: they ended while the
// channel was not among the settings.
func endAlerts(tx *outbox.Tx, channel string, now time.Time) error {
	shelf := alertsShelf + channel
	for _, key := range tx.Keys(shelf) {
		var a alert
		if _, err := tx.Get(shelf, key, &a); err != nil {
			return err
		}
		var open incident
		of := key[:strings.LastIndexByte(key, ' ')]
		if ok, err := tx.Get(incidentsShelf, of, &open); err != nil || ok || a.over() {
			if err != nil {
				return err
			}
			continue
		}
		a.EndsAt = now.UTC()
		if err := tx.Put(shelf, key, a); err != nil {
			return err
		}
	}
	return nil
}

// keepAlerts says to Alertmanager what is so: when it changes, and again and again.
func (n *Notifier) keepAlerts(ctx context.Context, name string) {
	work := n.opts.Heart.Begin("the courier of "+topicOf+name, n.opts.Channels[name].Limit()+time.Minute)
	defer work.End()
	failures := 0
	for ctx.Err() == nil {
		err := n.sayAlerts(ctx, name, work)
		work.Rest()
		wait := resend
		switch {
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return
		default:
			n.told(name, "alerts", outbox.Retried, err)
			wait = min(resend, firstRetry<<min(failures, 8))
			failures++
		}
		bell := n.bells[name]
		if failures > 0 {
			bell = nil // what is new has to wait, too
		}
		select {
		case <-bell:
		case <-time.After(wait):
		case <-ctx.Done():
		}
		n.pause(ctx, name)
	}
}

// pause keeps the least time between two messages.
func (n *Notifier) pause(ctx context.Context, name string) {
	_ = nap.For(ctx, n.opts.Channels[name].Between()) // the loop sees the end
}

// sayAlerts says all that fires, and what has ended; that is forgotten once it was said.
// What is refused is in the way of nothing else; the error is that of the first.
func (n *Notifier) sayAlerts(ctx context.Context, name string, work *pulse.Work) error {
	work.Sign()
	sender, ok := n.channels[name].(*alertmanager)
	if !ok {
		return errors.New("it is no Alertmanager")
	}
	alerts, err := n.alerts(name)
	if err != nil || len(alerts) == 0 {
		return err
	}
	var refused error
	for keys := range slices.Chunk(sortedKeys(alerts), alertBatch) {
		work.Sign()
		batch := map[string]alert{}
		for _, key := range keys {
			batch[key] = alerts[key]
		}
		err := n.post(ctx, name, sender, saying(batch))
		if err == nil {
			err = n.forgetAlerts(name, batch)
		}
		switch {
		case err == nil:
		case fault.Of(err) != fault.Rejected:
			return err
		case refused == nil:
			refused = err
		}
	}
	if refused == nil {
		n.told(name, "alerts", outbox.Delivered, nil)
	}
	return refused
}

// saying are the alerts as they are said now, in the order of their keys: what is so is so
// for a while, and nothing begins, or has ended, later than now. The clock may have been
// set back: Alertmanager takes no alert that ends before it begins, however long ago.
func saying(alerts map[string]alert) []alert {
	var all []alert
	now := time.Now().UTC()
	for _, key := range sortedKeys(alerts) {
		a := alerts[key]
		a.StartsAt = earliest(a.StartsAt, now)
		if a.over() {
			a.EndsAt = earliest(a.EndsAt, now)
			a.StartsAt = earliest(a.StartsAt, a.EndsAt)
		} else {
			a.EndsAt = now.Add(expiry)
		}
		all = append(all, a)
	}
	return all
}

// post says some alerts, within the channel's time.
func (n *Notifier) post(ctx context.Context, name string, to *alertmanager, batch []alert) error {
	ctx, cancel := context.WithTimeout(ctx, n.opts.Channels[name].Limit())
	defer cancel()
	return to.say(ctx, batch)
}

// alerts are those of a channel, by their keys.
func (n *Notifier) alerts(name string) (map[string]alert, error) {
	alerts := map[string]alert{}
	return alerts, n.opts.Box.View(func(tx *outbox.Tx) error {
		for _, key := range tx.Keys(alertsShelf + name) {
			var a alert
			if _, err := tx.Get(alertsShelf+name, key, &a); err != nil {
				return err
			}
			alerts[key] = a
		}
		return nil
	})
}

// forgetAlerts drops the alerts that were said to have ended, and have not begun again
// since.
func (n *Notifier) forgetAlerts(name string, said map[string]alert) error {
	over := sortedKeys(said)
	over = slices.DeleteFunc(over, func(key string) bool { return !said[key].over() })
	if len(over) == 0 {
		return nil
	}
	return n.opts.Box.Update(func(tx *outbox.Tx) error {
		for _, key := range over {
			var now alert
			if ok, err := tx.Get(alertsShelf+name, key, &now); err != nil || !ok || !now.EndsAt.Equal(said[key].EndsAt) {
				continue
			}
			if err := tx.Delete(alertsShelf+name, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// untold counts the ends that were not said yet, and since when the first waits.
func (n *Notifier) untold(name string) (count int, oldest time.Time) {
	alerts, err := n.alerts(name)
	if err != nil {
		return 0, time.Time{}
	}
	for _, a := range alerts {
		if a.over() {
			count++
			oldest = earliest(oldest, a.EndsAt)
		}
	}
	return count, oldest
}
