package gate

import (
	"context"
	"time"
)

// member is a backend as the pool sees it.
type member struct {
	backend Backend // its ID and its port never change
	host    host

	listed bool // in the table
	left   bool // gets nothing new: draining, or out of the table
	since  time.Time
	until  time.Time
	timer  *time.Timer // ends the drain

	stay *stay // the present one, or the last
	past []*stay

	ejected  bool
	endProbe context.CancelFunc

	inFlight int
	cuts     map[*lease]func() // what ends a lease at the end of the drain
	turn     uint64            // when it was chosen last
	credit   int               // see byShare
	served   uint64
	failed   uint64
}

// stay is one stay in the pool, from entering it until nothing is in flight any
// more. A backend that comes back while it drains begins another stay.
type stay struct {
	leaving chan struct{} // closed when it gets nothing new
	drained chan struct{} // closed when nothing may be in flight any more
	leases  int
	over    bool // drained is closed
}

func newStay() *stay { return &stay{leaving: make(chan struct{}), drained: make(chan struct{})} }

func (s *stay) end() {
	if !s.over {
		s.over = true
		close(s.drained)
	}
}

// newMember returns one that has not entered the pool.
func newMember(b Backend) *member {
	return &member{backend: b, host: newHost(b.ID), left: true, cuts: map[*lease]func(){}}
}

// open tells whether the member may be given something new.
func (m *member) open() bool { return !m.left && !m.ejected }

// enter begins a stay. What an earlier one left in flight goes on.
func (m *member) enter() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if m.stay != nil && m.stay.leases > 0 {
		m.past = append(m.past, m.stay)
	}
	m.left, m.stay = false, newStay()
}

// leave ends the member's time in the pool; what is in flight goes on.
func (m *member) leave() {
	m.left, m.since = true, time.Now()
	m.readmit()
	close(m.stay.leaving)
	if m.stay.leases == 0 {
		m.stay.end()
	}
}

// readmit ends an ejection and its probe.
func (m *member) readmit() {
	m.ejected = false
	if m.endProbe != nil {
		m.endProbe()
		m.endProbe = nil
	}
}

// end ends all stays, and returns what cuts their leases: to be called without
// the pool's lock.
func (m *member) end() []func() {
	if m.stay != nil {
		m.stay.end()
	}
	for _, s := range m.past {
		s.end()
	}
	cuts := make([]func(), 0, len(m.cuts))
	for _, cut := range m.cuts {
		cuts = append(cuts, cut)
	}
	clear(m.cuts)
	return cuts
}

// forgotten tells whether nothing speaks for remembering the member.
func (m *member) forgotten() bool { return !m.listed && m.inFlight == 0 }
