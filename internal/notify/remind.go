package notify

import (
	"strings"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// appOf is the app whose own state a thread is; false for other threads.
func appOf(of string) (string, bool) { return strings.CutPrefix(of, syncOf("")) }

// takeFound takes what was found of apps whose state is an incident.
func (n *Notifier) takeFound() error {
	n.mu.Lock()
	all := n.found
	n.found = map[string]found{}
	n.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	return n.keep(func(k *keeping) error {
		for _, app := range sortedKeys(all) {
			if err := k.foundSo(app, all[app]); err != nil {
				return err
			}
		}
		return nil
	})
}

// foundSo ends or changes an app's incident, unless what it is about came later. What
// is held back is news only where something worse was told. Where nobody was told of
// the incident, nobody is told of its end.
func (k *keeping) foundSo(app string, is found) error {
	open, err := k.incident(syncOf(app))
	if err != nil || open == nil || open.Last.At.After(is.at) {
		return err
	}
	f := open.Last.Fact
	f.At, f.Kind, f.Outcome, f.Reason, f.Hint, f.Findings, f.More, f.Duration = is.at, "sync", recovered, "", "", nil, 0, 0
	if is.outcome == "held" {
		if !kinds()[open.Last.Event].nags {
			return nil
		}
		f.Outcome, f.Reason = is.outcome, is.reason
	}
	return k.take(f, len(open.Routes) == 0)
}

// lookAfter reminds of what is still so, and forgets what nobody ever ended; next is
// when the next reminder is due.
func (n *Notifier) lookAfter(now time.Time) (next time.Time, err error) {
	var due []string
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		for _, of := range tx.Keys(incidentsShelf) {
			var i incident
			if _, err := tx.Get(incidentsShelf, of, &i); err != nil {
				return err
			}
			routes, again := i.due(now, n.remind)
			next = earliest(next, again)
			if len(routes) > 0 || now.Sub(i.lastSign()) > oblivion {
				due = append(due, of)
			}
		}
		return nil
	}); err != nil || len(due) == 0 {
		return next, err
	}
	return now, n.keep(func(k *keeping) error {
		for _, of := range due {
			if err := k.remindOf(of); err != nil {
				return err
			}
		}
		return nil
	})
}

// remindOf tells once more of one incident, or forgets it.
func (k *keeping) remindOf(of string) error {
	i, err := k.incident(of)
	if err != nil || i == nil {
		return err
	}
	if k.now.Sub(i.lastSign()) > oblivion {
		return k.close(of)
	}
	t := i.Last
	t.Since, t.Reminder = i.Since, true
	routes, _ := i.due(k.now, k.remind)
	for _, name := range routes {
		if err := k.collect(name, t); err != nil {
			return err
		}
		i.Routes[name] = k.now
	}
	return k.tx.Put(incidentsShelf, of, *i)
}
