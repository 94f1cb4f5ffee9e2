// Package reconcile is one pass and the loop around it, per app: what the
// repository asks for, what runs, what to do about the difference, and what to
// remember of it.
package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// Agent keeps a host equal to a repository. It answers (Asker) and obeys
// (Actor), with or without its loop running.
type Agent struct {
	opts    Options
	workers map[string]*worker
	order   []*worker  // the same, in name order
	mu      sync.Mutex // guards workers, order, claims and ending
	claims  claims
	catalog atomic.Pointer[catalog]
	// looking is held while the repository is asked, so that it is asked once.
	looking chan struct{}
	// sourceErr is why the newest revision cannot be seen; nil where it can.
	sourceErr atomic.Pointer[error]
	// told is what was told of each remote last; who looks has it.
	told map[string]source.RemoteStatus
	// refusal is the revision that is not looked at again at each poll.
	refusal atomic.Pointer[refusal]
	// polls is one more than the polls in a row that got no answer; 0 before the first.
	polls atomic.Int64
	// places limit how many apps change side by side.
	places places
	// waiting and aside are the passes without a place.
	waiting, aside atomic.Int64
	poke           chan struct{}
	// stir makes polls as frequent as after a change: somebody asks.
	stir chan struct{}
	// values is poked when a file with the host's values changed, or it is time by the
	// schedule.
	values chan struct{}
	// listeners hear what happens while they wait for their request.
	listeners listeners
	// life is Run's context; nil while Run is not running.
	life atomic.Pointer[context.Context]
	// passes are those who work on a record; ending keeps more from coming.
	passes sync.WaitGroup
	ending bool
}

// New returns an agent. It reads the record of every app that it knows.
func New(opts Options) (*Agent, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Resync = cmp.Or(opts.Resync, 10*time.Minute)
	a := &Agent{
		opts:    opts,
		workers: map[string]*worker{},
		claims:  claims{},
		looking: make(chan struct{}, 1),
		places:  places{all: opts.sideBySide()},
		poke:    make(chan struct{}, 1),
		stir:    make(chan struct{}, 1),
		values:  make(chan struct{}, 1),
	}
	if opts.Store == nil {
		return a, nil
	}
	names, err := opts.Store.Apps()
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	for _, name := range names {
		if err := a.meet(name); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// meet makes a worker for an app that was not known before.
func (a *Agent) meet(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.workers[name] != nil {
		return nil
	}
	w, err := newWorker(a, name)
	if err != nil {
		return err
	}
	a.workers[name] = w
	at, _ := slices.BinarySearchFunc(a.order, name, func(o *worker, name string) int { return cmp.Compare(o.name, name) })
	a.order = slices.Insert(a.order, at, w)
	if a.onCluster() {
		a.claims.remember(w.seen)
	}
	return nil
}

// known returns the named workers, all of them in name order where none is
// named. An unknown name is Rejected.
func (a *Agent) known(names []string) ([]*worker, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(names) == 0 {
		return slices.Clone(a.order), nil
	}
	var out []*worker
	for _, n := range names {
		w := a.workers[n]
		if w == nil {
			return nil, unknownApp(n, slices.Sorted(maps.Keys(a.workers)))
		}
		out = append(out, w)
	}
	return out, nil
}

// everyone are all workers, in name order.
func (a *Agent) everyone() []*worker {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.order)
}

func unknownApp(name string, known []string) error {
	err := fmt.Errorf("there is no app %q here", name)
	return fault.Hint(fault.As(fault.Rejected, err), "known apps: "+listed(known))
}

// begin counts somebody in who works on a record; done counts them out. Run does
// not end before they have. Nothing begins once ctx has ended.
func (a *Agent) begin(ctx context.Context) (done func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case a.ending:
		return nil, errEnding
	}
	a.passes.Add(1)
	return a.passes.Done, nil
}

// rest waits until nobody works on a record any more.
func (a *Agent) rest() {
	a.end(true)
	defer a.end(false)
	a.passes.Wait()
}

func (a *Agent) end(ending bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ending = ending
}

// Look asks the loop to look at the repository and at every app now.
func (a *Agent) Look() {
	a.askAnew()
	a.wakeAll()
	wake(a.poke)
}

// Poll asks the loop to look at the repository now, wherever it can be had. Apps are
// passed over where that has something new for them, and what was refused stays so.
func (a *Agent) Poll() {
	if source, ok := a.opts.Source.(Recaller); ok {
		source.AskAll()
	}
	wake(a.poke)
}

// Recaller is a Source that leaves places alone for a while that did not answer.
type Recaller interface {
	// AskAll lets all of them be asked next time.
	AskAll()
}

// Ready tells whether there is a loop that would: always, once it runs.
func (a *Agent) Ready() bool { return a.life.Load() != nil }

// wake is the only way to send to a trigger channel of size one: bursts
// coalesce, and nobody waits.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// take gets a token of a semaphore, or gives up with the context.
func take(ctx context.Context, ch chan struct{}) error {
	select {
	case ch <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Agent) hear(e Event) {
	if e.At.IsZero() {
		e.At = a.opts.Now()
	}
	if a.opts.Hear != nil {
		a.opts.Hear(e)
	}
	a.listeners.tell(e)
}
