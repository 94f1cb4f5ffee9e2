package reconcile

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/state"
)

// follower is the goroutine that follows the repository.
type follower struct {
	*Agent
	loops *sync.WaitGroup
	// rounds are the loops of apps that something woke; started are the apps that have
	// one.
	rounds  crew
	started map[string]bool
	// seen is the revision that the apps were told of: a question may have seen the
	// newest one before.
	seen *catalog
	// moved is when the repository changed last, or somebody asked.
	moved time.Time
	// trouble is what was told of the repository last, outlook what is on record of it.
	trouble string
	outlook outlook
	// named are the bundles that do not count, as they were told.
	named map[string]bool
	// study is what the source learns beside the polls.
	study study
}

// follow polls the repository when it is time, or when somebody or a value file
// asks for it, until ctx ends. A server that does not answer holds up nobody else.
func (f *follower) follow(ctx context.Context) {
	f.moved = time.Now()
	for misses := 0; ; {
		seen, missed := f.seen, misses
		f.poll(ctx)
		if misses = f.missed(misses); f.seen != seen || misses < missed {
			f.moved = time.Now()
		}
		f.sees(misses)
		if !f.await(ctx, misses) {
			return
		}
	}
}

// restAll ends the loops of all apps, which nothing wakes any more.
func (f *follower) restAll() {
	f.rounds.end()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.workers {
		w.retire()
	}
}

// await waits for the next poll; it returns false when ctx has ended. Whoever asks for
// something makes polls frequent again.
func (f *follower) await(ctx context.Context, misses int) bool {
	polled := time.Now()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(f.untilPoll(misses, polled.Sub(f.moved)) - time.Since(polled)):
			return true
		case <-f.values:
			return true
		case err := <-f.study.ended:
			f.learnt(ctx, err)
		case <-f.stir:
			f.moved = time.Now()
		case <-f.poke:
			f.moved = time.Now()
			return true
		}
	}
}

// poll looks at the repository once, and lets every app know when there is
// something new.
func (f *follower) poll(ctx context.Context) {
	defer f.opts.Heart.Begin("the repository's loop", f.pollSilence()).End()
	c, trouble := f.look(ctx)
	f.tell(ctx, trouble)
	f.tellBundles()
	f.bookSource(trouble)
	if c == nil {
		return
	}
	workers, err := f.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return
	}
	fresh := c != f.seen
	f.seen = c
	for _, w := range workers {
		if !f.started[w.name] {
			f.started[w.name] = true
			w.attend(func() bool { return f.rounds.begin(func() { w.loop(ctx) }) })
		}
		if fresh {
			w.rouse()
		}
	}
	if fresh {
		f.preemptAll(ctx, workers, c, wish{})
		f.collect(ctx, c)
	}
	if fault.Of(trouble) != fault.Unreachable { // else there is nobody to learn it from
		f.learn(ctx, c.snapshot.Revision.Commit)
	}
}

// tell reports trouble with the repository when it begins or changes; nil is none.
// Numbers are no change: ports and temporary names are others each time.
func (f *follower) tell(ctx context.Context, err error) {
	trouble := ""
	if err != nil {
		trouble = strings.Map(withoutDigits, err.Error())
	}
	if ctx.Err() != nil || trouble == f.trouble {
		return
	}
	f.trouble = trouble
	switch {
	case unsigned(err):
		f.hear(Event{Text: "rejected: " + err.Error()})
	case err != nil:
		f.hear(Event{Text: "the repository cannot be read: " + err.Error()})
	}
}

func withoutDigits(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}

// preemptAll preempts side by side: some of them may have to be rendered for it.
func (a *Agent) preemptAll(ctx context.Context, workers []*worker, c *catalog, wants wish) {
	var group sync.WaitGroup
	for _, w := range workers {
		if w.applying() != "" {
			group.Go(func() { a.preempt(ctx, w, c, wants) })
		}
	}
	group.Wait()
}

// preempt ends a pass that puts something else than what the app asks for now, where
// that would be put: by itself, or because a person wants it. A revision that leaves
// this app as it is disturbs nobody.
func (a *Agent) preempt(ctx context.Context, w *worker, c *catalog, wants wish) {
	digest := w.applying()
	if digest == "" || c.doubt != nil {
		return
	}
	if _, wanted := c.apps[w.name]; !wanted {
		return
	}
	rec := w.read()
	cand, err := w.candidate(ctx, c, rec)
	if err != nil || cand.set.Digest == digest {
		return
	}
	now, err := a.will(c, rec)
	now.asked, now.force = wants.asked, wants.force
	if err == nil && goesOn(rec, cand.set, now) {
		w.interrupt(errSuperseded)
	}
}

// goesOn tells whether a pass would do something about the set: what only waits, and
// is not forced, ends nothing.
func goesOn(rec state.Record, set state.Set, w will) bool {
	course, _ := decide(rec, set, w)
	return course == change || course == settle || course == wait && w.force != nil
}
