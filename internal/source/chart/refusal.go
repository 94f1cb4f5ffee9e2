package chart

import (
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

const (
	// refusedFor is how long a chart that was refused is not asked for again, unless
	// somebody asks: every look at the app would cost its server the same.
	refusedFor = 10 * time.Minute
	// remembered is how many refusals are kept.
	remembered = 64
)

type refusal struct {
	err error
	at  time.Time
}

// Forget lets charts be fetched again that were refused: somebody asks.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refused)
}

func (s *Store) refusedAlready(want config.Chart) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.refused[want]
	if !ok || s.opts.Now().Sub(last.at) >= refusedFor {
		return nil
	}
	return last.err
}

// remember keeps err where the chart, or who pinned it, is to blame for it.
func (s *Store) remember(want config.Chart, err error) {
	if fault.Of(err) != fault.Rejected {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refused) >= remembered {
		clear(s.refused)
	}
	s.refused[want] = refusal{err, s.opts.Now()}
}
