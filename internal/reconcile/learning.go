package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"syncd.io/syncd/internal/source"
)

// Learner is a Source that keeps the history of what it follows, to judge by it later.
type Learner interface {
	// Learn has it know the history of what was accepted.
	Learn(ctx context.Context) error
}

// study is what the source learns about a revision, or has learnt last. It belongs to
// the follower.
type study struct {
	commit string
	// ended gets how it ended; nil where none is under way.
	ended chan error
	known bool
	// misses are the tries that failed, next is when there may be another one.
	misses int
	next   time.Time
	// trouble is what was told of it last.
	trouble string
}

// The pauses before it is tried again to learn what could not be learnt.
const (
	firstStudy = 30 * time.Second
	lastStudy  = 10 * time.Minute
)

// learn lets the source learn what it needs to judge the next revision by. Nobody
// waits for it: it goes on beside the polls, once for each revision, and a later poll
// has it tried again where it failed.
func (f *follower) learn(ctx context.Context, commit string) {
	learner, ok := f.opts.Source.(Learner)
	s := &f.study
	select {
	case err := <-s.ended:
		f.learnt(ctx, err)
	default:
	}
	again := s.commit == commit && (s.known || time.Now().Before(s.next))
	if !ok || s.ended != nil || again {
		return
	}
	if s.commit != commit {
		*s = study{commit: commit, trouble: s.trouble}
	}
	ended := make(chan error, 1)
	s.ended = ended
	f.loops.Go(func() {
		ctx, cancel := f.studyTime(ctx)
		defer cancel()
		ended <- learner.Learn(ctx)
	})
}

// studyTime bounds one try: a remote may take limits.fetchTime, and there may be a
// second one to ask.
func (f *follower) studyTime(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := 2 * cmp.Or(f.opts.Host.Limits.FetchTime.D(), 5*time.Minute)
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %s, twice limits.fetchTime", limit))
}

// learnt takes note of how that ended, and tells of trouble when it begins or changes.
// Where a newer revision is followed by now, that is learnt instead. What gave way is
// tried again at the next poll.
func (f *follower) learnt(ctx context.Context, err error) {
	s := &f.study
	s.ended, s.known = nil, err == nil
	switch {
	case err == nil:
		s.trouble = ""
		return
	case errors.Is(err, source.ErrGivesWay):
		return
	}
	s.next = time.Now().Add(min(firstStudy<<min(s.misses, 5), lastStudy))
	s.misses++
	trouble := strings.Map(withoutDigits, err.Error())
	if ctx.Err() != nil || trouble == s.trouble || s.commit != f.seen.snapshot.Revision.Commit {
		return
	}
	s.trouble = trouble
	f.hear(Event{Text: "what came before the revision is not known: " + err.Error()})
}
