package main

import (
	"log/slog"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/forge"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/reconcile"
)

// checkForges warns of a token that is not there yet; a repository that no forge is
// known to have is an error.
func checkForges(host config.Host, log *slog.Logger) error {
	notes, err := forge.Check(host.Feedback, host.Repo.URL)
	if fault.Of(err) == fault.Rejected {
		return err
	}
	if err != nil {
		notes = append(notes, err.Error())
	}
	for _, note := range notes {
		log.Warn(note, "setting", "feedback")
	}
	return nil
}

// reporter tells forges of what is in store from now on; nil where none is named.
func (t *teller) reporter(box *outbox.Box, store record) (*forge.Reporter, error) {
	if len(t.host.Feedback) == 0 {
		return nil, nil
	}
	return forge.New(forge.Options{
		Feedback: t.host.Feedback, Repo: t.host.Repo.URL, Name: t.host.Host.Name,
		Box: box, Journal: acts{store}, Host: t, Log: t.log,
	})
}

// reporting returns who tells forges now; nil is nobody.
func (t *teller) reporting() *forge.Reporter {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.forge
}

// follow lets forges be told of what a knows.
func (t *teller) follow(a *reconcile.Agent) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.agent = a
}

// Sight implements forge.Host.
func (t *teller) Sight() forge.Sight {
	t.mu.Lock()
	a := t.agent
	t.mu.Unlock()
	if a == nil {
		return forge.Sight{}
	}
	all := a.Standings()
	s := forge.Sight{Commit: all.Wanted.Commit, Refused: all.Refused}
	for _, x := range all.Apps {
		s.Apps = append(s.Apps, forge.App{
			Name: x.App, Judged: x.Judged, Outcome: string(x.Outcome), Reason: x.Reason, Waits: x.Waits, Busy: x.Busy, Inputs: x.Inputs,
		})
	}
	return s
}

// acts is a record as what forges are told of.
type acts struct{ from reconcile.Chronicle }

// Since implements forge.Journal.
func (j acts) Since(id uint64, limit int) ([]forge.Fact, error) {
	entries, err := j.from.Since(id, limit)
	facts := make([]forge.Fact, 0, len(entries))
	for _, e := range entries {
		facts = append(facts, forge.Fact{ID: e.ID, At: e.At, App: e.App, Kind: e.Kind, Outcome: e.Outcome, Commit: e.Revision.Commit, Reason: e.Reason})
	}
	return facts, err
}

// forgeQueues is what waits for forges.
func (t *teller) forgeQueues() []metrics.Queue {
	r := t.reporting()
	if r == nil {
		return nil
	}
	var all []metrics.Queue
	for _, c := range r.Counts() {
		all = append(all, metrics.Queue{Channel: "feedback/" + c.Name, Waiting: c.Waiting, Oldest: c.Oldest, Ended: c.Ended})
	}
	return all
}

// checkFeedback finds out whether forges could be told; nothing where none is named.
func checkFeedback(host config.Host) []finding {
	const name = "feedback"
	if len(host.Feedback) == 0 {
		return nil
	}
	notes, err := forge.Check(host.Feedback, host.Repo.URL)
	if err != nil {
		return []finding{failing(name, err, "")}
	}
	detail := "every forge has what it needs; none was asked"
	if len(notes) > 0 {
		detail = strings.Join(notes, "; ")
	}
	return []finding{{Check: name, OK: true, Detail: detail}}
}
