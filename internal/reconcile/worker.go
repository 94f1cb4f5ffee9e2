package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/state"
)

// errSuperseded ends a pass whose revision is no longer wanted; errAsked one
// that a person's word interrupts.
var (
	errSuperseded = errors.New("a newer revision came")
	errAsked      = errors.New("a person asked for something else")
)

// worker holds what belongs to one app. Whoever holds the token owns the
// record; nobody else reads or writes it.
type worker struct {
	agent  *Agent
	name   string
	target apply.Target
	token  chan struct{}
	wake   chan struct{}
	// record belongs to the holder of the token.
	record state.Record

	mu sync.Mutex // guards what follows
	// rendered are the latest renderings by input hash: the one that is being
	// applied and the one that came after it.
	rendered *candidate
	// running is the digest under way, cancel ends its pass; empty and nil when
	// none is, or when it may no longer be interrupted.
	running string
	cancel  context.CancelCauseFunc
	seen    state.Record // the record as it was last saved: for readers
	busy    bool
	repairs repairs
	retries int
}

func newWorker(a *Agent, name string) (*worker, error) {
	w := &worker{agent: a, name: name, token: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
	rec, err := a.opts.Store.Record(name)
	if err != nil {
		return nil, fmt.Errorf("read the record of app %s: %w", name, err)
	}
	w.record, w.seen = rec, rec.Clone()
	if a.opts.Engine != nil {
		w.target = a.opts.Engine.Target(name)
	}
	return w, nil
}

// own runs do while holding the app's record. It waits for a pass under way.
func (w *worker) own(ctx context.Context, do func() error) error {
	if err := take(ctx, w.token); err != nil {
		return err
	}
	defer func() { <-w.token }()
	return do()
}

// save writes the record and shows it to readers. Only the owner calls it.
func (w *worker) save() error {
	if err := w.agent.opts.Store.Save(w.record); err != nil {
		return fmt.Errorf("save the record of app %s: %w", w.name, err)
	}
	w.mu.Lock()
	w.seen = w.record.Clone()
	w.mu.Unlock()
	return nil
}

// forget restores the record after a pass of a read-only agent, which must leave
// no trace.
func (w *worker) forget(before state.Record) {
	if w.agent.opts.ReadOnly {
		w.record = before
	}
}

// read returns the record as it was last saved.
func (w *worker) read() state.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// interruptible says which digest is being applied and how to end that; an
// empty digest says that it may no longer be ended from outside.
func (w *worker) interruptible(digest string, cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running, w.cancel = digest, cancel
}

// applying returns the digest that a newer one may pre-empt.
func (w *worker) applying() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

// interrupt ends the pass under way, where it can be.
func (w *worker) interrupt(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel(cause)
	}
}

func (w *worker) setBusy(busy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = busy
}

func (w *worker) isBusy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.busy
}
