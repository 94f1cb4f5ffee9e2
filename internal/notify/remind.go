package notify

import (
	"errors"
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
	err := n.keep(func(k *keeping) error {
		for _, app := range sortedKeys(all) {
			if err := k.foundSo(app, all[app]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // let the next pass say it again
		n.mu.Lock()
		clear(n.looked)
		n.mu.Unlock()
	}
	return err
}

// foundSo ends, changes or confirms an app's incident, unless what it is about came
// later: what is later than now was so before the clock was set back. What is held back
// is news only where something worse was told. Where nobody was told of the incident,
// nobody is told of its end, nor is anybody of what others may have told, which is not on
// record. Any other trouble is on record, and of what did not come to an end nothing is
// known.
func (k *keeping) foundSo(app string, is found) error {
	open, err := k.incident(syncOf(app))
	if err != nil || open == nil || open.Last.At.After(is.at) && !open.Last.At.After(k.now) {
		return err
	}
	f := open.Last.Fact
	f.At, f.Kind, f.Outcome, f.Reason, f.Hint, f.Findings, f.More, f.Duration = is.at, "sync", recovered, "", "", nil, 0, 0
	switch word := strings.ReplaceAll(is.outcome, " ", "-"); {
	case word == "unchanged":
		return k.take(f, len(open.Routes) == 0 || open.Ended)
	case word == "held" && kinds()[open.Last.Event].nags:
		f.Outcome, f.Reason = is.outcome, is.reason
		if err := k.take(f, len(open.Routes) == 0 || open.Known); err != nil {
			return err
		}
		if open, err = k.incident(syncOf(app)); err != nil || open == nil {
			return err
		}
		return k.stillSo(syncOf(app), open, is.at)
	case word == "held" && open.Over && (open.Last.Event == rolledBack || open.Last.Event == word):
		return k.heldAgain(syncOf(app), open, is.at)
	case word == "held" || word == open.Last.Event:
		return k.stillSo(syncOf(app), open, is.at)
	case word == "pending" || word == "paused":
		return k.overWith(syncOf(app), open)
	}
	return nil
}

// stillSo takes note that a pass found an incident as it was. One that was known fires
// from now on, and is reminded of.
func (k *keeping) stillSo(of string, open *incident, at time.Time) (err error) {
	if open.Over || !open.Known && at.Sub(open.Seen) < 24*time.Hour {
		return nil
	}
	open.Seen = at
	if open.Known {
		t := open.Last
		t.Since = open.Since
		if open.Routes, err = k.tell(t, open.Routes, true); err != nil {
			return err
		}
		if err := k.alert(t, open.Routes); err != nil {
			return err
		}
		open.Known, open.Ended = false, false
	}
	return k.tx.Put(incidentsShelf, of, *open)
}

// heldAgain takes note that what was over, such as for a pause, is held as it was, which is
// not on record: it fires again, and nobody is told.
func (k *keeping) heldAgain(of string, open *incident, at time.Time) error {
	open.Over = false
	if open.Known {
		return k.stillSo(of, open, at)
	}
	open.Seen = at
	t := open.Last
	t.Since = open.Since
	k.decided(t, "nobody is told: it is so again")
	return errors.Join(k.alert(t, open.Routes), k.tx.Put(incidentsShelf, of, *open))
}

// overWith takes note that an incident is no more, while its app is not well: nobody is
// told that it was.
func (k *keeping) overWith(of string, open *incident) error {
	if open.Over {
		return nil
	}
	open.Over = true
	k.decided(open.Last, "nobody is reminded any more: a pass found something else")
	return errors.Join(k.tx.Put(incidentsShelf, of, *open), k.endAlertsOf(of))
}

// lookAfter reminds of what is still so, and forgets what is not, and nobody ended; next
// is when the next reminder is due.
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

// isOpen asks the record about an incident of which nothing was heard for long. What
// cannot be found out is taken for open.
func (k *keeping) isOpen(f Fact) bool {
	open, err := k.opts.Journal.Open(f)
	if err != nil {
		k.opts.Log.Debug("whether it is so still could not be found out", "thread", thread(f), "error", err)
		return true
	}
	return open
}

// remindOf tells once more of one incident, or forgets it.
func (k *keeping) remindOf(of string) error {
	i, err := k.incident(of)
	if err != nil || i == nil {
		return err
	}
	if k.now.Sub(i.lastSign()) > oblivion {
		if !k.isOpen(i.Last.Fact) {
			k.decided(i.Last, "it is forgotten: the record knows nothing of it")
			return k.close(of)
		}
		i.Seen = k.now
	}
	t := i.Last
	t.Since, t.Reminder = i.Since, true
	routes, _ := i.due(k.now, k.remind)
	if len(routes) > 0 {
		k.decided(t, "people are reminded", "routes", strings.Join(routes, ", "))
	}
	for _, name := range routes {
		if err := k.collect(name, t); err != nil {
			return err
		}
		i.Routes[name] = k.now
	}
	return k.tx.Put(incidentsShelf, of, *i)
}
