package notify

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// turn reads the record to its end, takes what was found, reminds, and sends the
// groups whose time has come; next is when there is something to do by itself. quiet
// takes what is old for told.
func (n *Notifier) turn(ctx context.Context, quiet bool) (next time.Time, err error) {
	for {
		count, err := n.read(quiet)
		if err != nil {
			return time.Time{}, err
		}
		if count < ahead {
			break
		}
	}
	n.mu.Lock()
	n.caughtUp = true
	n.mu.Unlock()
	if err := n.takeFound(); err != nil {
		return time.Time{}, err
	}
	if next, err = n.lookAfter(time.Now()); err != nil {
		return time.Time{}, err
	}
	flushed, err := n.flush(ctx, time.Now())
	return earliest(next, flushed), err
}

// read takes the next facts: the cursor moves in the transaction that keeps what they
// lead to.
func (n *Notifier) read(quiet bool) (int, error) {
	var from uint64
	var known marks
	if err := n.opts.Box.View(func(tx *outbox.Tx) (err error) {
		from, _ = tx.Cursor(cursor)
		known, err = readMarks(tx)
		return err
	}); err != nil {
		return 0, err
	}
	facts, err := n.opts.Journal.Since(from, ahead)
	if err != nil {
		return 0, err
	}
	all := known.least(n.queued(sortedKeys(n.opts.Channels)))
	for part := range slices.Chunk(facts, batch) {
		if err := n.keep(func(k *keeping) error {
			k.known = known
			for _, f := range part {
				if err := k.take(f, f.ID <= all || quiet && k.now.Sub(f.At) > stale); err != nil {
					return err
				}
			}
			if err := k.doubtKnown(); err != nil {
				return err
			}
			return k.tx.SetCursor(cursor, part[len(part)-1].ID)
		}); err != nil {
			return 0, err
		}
	}
	return len(facts), nil
}

// keeping is one transaction that takes facts: groups are read once and written once.
type keeping struct {
	*Notifier
	tx     *outbox.Tx
	now    time.Time
	groups map[string]*group
	// doubts are the threads of incidents that others told.
	doubts map[string]bool
	// known is what channels were told of what is read.
	known marks
	// unwell are changes of the notifier's, rung the channels that are told what is so:
	// both count only once the transaction is done.
	ill  map[string]bool
	rung map[string]bool
	// decisions are for the log, once the transaction is done.
	decisions []decision
}

// keep runs do in one transaction.
func (n *Notifier) keep(do func(*keeping) error) error {
	var k *keeping
	err := n.opts.Box.Update(func(tx *outbox.Tx) error {
		k = &keeping{Notifier: n, tx: tx, now: time.Now(), groups: map[string]*group{}, doubts: map[string]bool{}, ill: map[string]bool{}, rung: map[string]bool{}}
		if err := do(k); err != nil {
			return err
		}
		for name, g := range k.groups {
			if err := tx.Put(groupsShelf, name, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	k.logDecisions()
	n.mu.Lock()
	maps.Copy(n.unwell, k.ill)
	maps.DeleteFunc(n.unwell, func(_ string, ill bool) bool { return !ill })
	n.mu.Unlock()
	for name := range k.rung {
		select {
		case n.bells[name] <- struct{}{}:
		default:
		}
	}
	return nil
}

// take takes one fact: what it does to its incident, and whom it is told. Of what is
// known nobody is told; but it may still be so.
func (k *keeping) take(f Fact, known bool) error {
	if f.Kind == "release" {
		if err := k.close(syncOf(f.App)); err != nil {
			return err
		}
	}
	t, ok := toldOf(f)
	if !ok {
		k.decided(Told{Fact: f, Event: f.Kind + " " + f.Outcome}, "nobody is told: it is nothing that people are told of")
		return nil
	}
	of := thread(f)
	open, err := k.incident(of)
	if err != nil {
		return err
	}
	what := judge(open, t)
	if what == none {
		k.decided(t, "nobody is told: it goes on as it was told")
		return nil
	}
	routes := map[string]time.Time{}
	if open != nil {
		routes = open.Routes
		if !open.Over {
			t.Since = open.Since
		}
	}
	told, err := k.tell(t, routes, known)
	if err != nil {
		return err
	}
	k.whom(t, sortedKeys(routes), sortedKeys(told), known)
	_, own := appOf(of)
	if own && known {
		told = k.heard(told, f.ID)
		k.doubts[of] = len(told) > 0
		maps.Copy(told, routes)
	} else if err := k.alert(t, told); err != nil {
		return err
	}
	switch what {
	case opening:
		return k.open(of, open, incident{Since: t.At, Last: t, Routes: told, Known: own && known})
	case closing:
		return k.close(of)
	default:
		return nil
	}
}

// tell puts a fact into the groups of the routes that it fits, unless it is known;
// before are those that were told of its incident. It returns these and those.
func (k *keeping) tell(t Told, before map[string]time.Time, known bool) (map[string]time.Time, error) {
	told := maps.Clone(before)
	if told == nil {
		told = map[string]time.Time{}
	}
	for _, r := range k.routes {
		_, was := before[r.name]
		if !r.fits(t, was) {
			continue
		}
		told[r.name] = k.now
		if known {
			continue
		}
		if err := k.collectFor(r, t); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// flush sends the groups whose time has come; next is when the first of the others is
// due. Where there are none, nothing is written. A template takes its time before
// anything is, and one that was not done when ctx ended is asked again.
func (n *Notifier) flush(ctx context.Context, now time.Time) (next time.Time, err error) {
	ready := map[string]group{}
	if err := n.opts.Box.View(func(tx *outbox.Tx) error {
		next, err = n.ready(tx, now, ready)
		return err
	}); err != nil || len(ready) == 0 {
		return next, err
	}
	messages := map[string]Message{}
	for _, r := range n.routes {
		for _, name := range groupsOf(r) {
			if g, ok := ready[name]; ok {
				messages[name] = n.write(ctx, r, g, now)
			}
		}
	}
	if ctx.Err() != nil {
		return next, context.Cause(ctx)
	}
	return next, n.opts.Box.Update(func(tx *outbox.Tx) error {
		for _, r := range n.routes {
			for _, name := range groupsOf(r) {
				m, ok := messages[name]
				if !ok {
					continue
				}
				if err := n.send(tx, name, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// ready finds the groups whose time has come. A clock that was put back makes nobody
// wait.
func (n *Notifier) ready(tx *outbox.Tx, now time.Time, into map[string]group) (next time.Time, err error) {
	for _, r := range n.routes {
		for _, name := range groupsOf(r) {
			var g group
			ok, err := tx.Get(groupsShelf, name, &g)
			switch due := g.Since.Add(r.GroupFor()); {
			case err != nil:
				return time.Time{}, err
			case !ok:
			case due.After(now) && !g.Since.After(now):
				next = earliest(next, due)
			default:
				into[name] = g
			}
		}
	}
	return next, nil
}

// write makes the message of a group. Where a template fails, it says so.
func (n *Notifier) write(ctx context.Context, r route, g group, now time.Time) Message {
	m := g.message(r, n.opts.Host, now)
	if r.Template == "" {
		return m
	}
	texts, err := r.texts(ctx, m)
	if err == nil {
		m.Text = texts[0]
	} else if ctx.Err() == nil {
		n.opts.Log.Warn("a template failed; the text is the agent's own", "route", r.name, "error", err)
		m.Text += "\n(the template of route " + r.name + " failed)"
	}
	return m
}

// send queues the message of a group of this name for each channel that it is for.
func (n *Notifier) send(tx *outbox.Tx, name string, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for _, to := range n.queued(n.membersOf(name)) { // Alertmanager is told what is so, not what happened
		if err := tx.Add(topicOf+to, outbox.Item{Key: m.Key, Weight: m.Severity.weight(), Body: body}); err != nil {
			return err
		}
	}
	n.opts.Log.Debug("a message is queued", "route", m.Route, "message", m.Key, "event", m.Event, "facts", m.Count)
	return tx.Delete(groupsShelf, name)
}
