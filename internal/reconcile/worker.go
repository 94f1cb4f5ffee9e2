package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/state"
)

// errSuperseded ends a pass whose revision is no longer wanted; errAsked one
// that a person's word interrupts; errEnding refuses one that comes too late.
var (
	errSuperseded = errors.New("a newer revision came")
	errAsked      = errors.New("a person asked for something else")
	errEnding     = errors.New("the agent is ending")
)

// worker holds what belongs to one app. Whoever holds the token owns the
// record; nobody else reads or writes it.
type worker struct {
	agent *Agent
	name  string
	// target is for passes; questions have their own.
	target    apply.Target
	questions questions
	// party are the workers of a revision that the agent does not follow; nil are
	// the agent's own.
	party []*worker
	token chan struct{}
	// drawing is held while the app is rendered: others ask for it, too.
	drawing chan struct{}
	rounds
	// record, stubborn, behind, owed and touched belong to the holder of the token.
	record   state.Record
	stubborn stubborn
	// behind tells that the record could not be saved as it is; owed are the lines of
	// history that belong to it.
	behind bool
	owed   []state.Entry
	// touched tells that something may have been changed on the target since the
	// record was written.
	touched bool
	// retries and opens belong to the app's loop: opens is when a window does that
	// something waits for, zero where nothing does.
	retries int
	opens   time.Time

	// version counts the records that readers have seen.
	version atomic.Uint64

	mu sync.Mutex // guards what follows
	// rendered is the latest rendering.
	rendered *candidate
	// unfit is what the app cannot be rendered by, as others found who asked what it
	// wants.
	unfit unfit
	// stored are the images of the sets on record.
	stored wanted[string]
	// demands is what the set with the digest demandsOf wants of the host.
	demands   []demand
	demandsOf string
	// running is the digest that the app asked for when the pass under way began,
	// cancel ends that pass; empty and nil where none is under way, or where
	// nobody may end it that way any more.
	running string
	cancel  context.CancelCauseFunc
	// people is how many wait for the pass under way to end.
	people int
	match  match
	looked look
	seen   state.Record // the record as it was last saved: for readers
	learnt learnt
	busy   bool
	using  use
}

func newWorker(a *Agent, name string) (*worker, error) {
	w := &worker{agent: a, name: name, token: make(chan struct{}, 1), drawing: make(chan struct{}, 1), rounds: newRounds()}
	rec, err := a.opts.Store.Record(name)
	if err != nil {
		return nil, fmt.Errorf("read the record of app %s: %w", name, err)
	}
	w.record, w.seen = rec, rec.Clone()
	w.questions = a.questionsAbout(name)
	if a.opts.Engine != nil {
		w.target = a.opts.Engine.Target(name)
	}
	return w, nil
}

// own runs do while holding the app's record. It waits for a pass under way, and
// the agent waits for it before it ends.
func (w *worker) own(ctx context.Context, do func() error) error {
	done, err := w.agent.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := take(ctx, w.token); err != nil {
		return err
	}
	defer func() { <-w.token }()
	return do()
}

// show lets readers see the record that was written.
func (w *worker) show() {
	w.touched = false
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = w.record.Clone()
	w.version.Add(1)
}

// forgetful returns what restores the record after a pass of a read-only agent, which
// must leave no trace but what it says of the app.
func (w *worker) forgetful() (forget func()) {
	if !w.agent.opts.ReadOnly {
		return func() {}
	}
	before := w.record.Clone()
	return func() {
		before.Last, before.Incident, before.Incidents = w.record.Last, w.record.Incident, w.record.Incidents
		w.record, w.owed = before, nil
	}
}

// read returns the record as it was last saved.
func (w *worker) read() state.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// interruptible says what the pass under way is about and how to end it; with an
// empty digest a newer input does not, with a nil cancel nobody does.
func (w *worker) interruptible(digest string, cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running, w.cancel = digest, cancel
	if cancel != nil && w.people > 0 { // somebody came while nobody could end it
		cancel(errAsked)
	}
}

// undisturbed keeps newer inputs from ending the pass under way; a person still
// may.
func (w *worker) undisturbed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = ""
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

// summon lets a person's word end the pass under way, and any that begins before
// it is that person's turn, which the returned function tells.
func (w *worker) summon() (arrived func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.people++
	if w.cancel != nil {
		w.cancel(errAsked)
	}
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.people--
	})
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
