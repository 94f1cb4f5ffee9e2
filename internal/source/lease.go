package source

import (
	"maps"
	"time"
	"weak"
)

// lentFor is how long a snapshot stays at least after it was handed out, or after
// it was last asked to be kept: its path may be in use where the snapshot is not.
const lentFor = 10 * time.Minute

// lease is in every copy of a snapshot that was handed out. As long as somebody
// has one, the files stay: nobody has to give anything back, and nobody can forget
// to.
type lease struct{ commit string }

// loan is what is known of a snapshot that was handed out.
type loan struct {
	lease weak.Pointer[lease]
	last  time.Time
	kept  bool
}

// lend notes that a snapshot is handed out.
func (r *Repository) lend(commit string) *lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.hold(commit)
	l := r.loans[commit]
	l.last = r.opts.Now()
	maps.DeleteFunc(r.loans, func(_ string, l loan) bool { return l.over(r.opts.Now()) && !l.kept })
	r.loans[commit] = l
	return out
}

// hold has a snapshot stay as long as the lease is in use, and no longer. Who calls
// holds mu.
func (r *Repository) hold(commit string) *lease {
	l := r.loans[commit]
	out := l.lease.Value()
	if out == nil {
		out = &lease{commit}
		l.lease = weak.Make(out)
		r.loans[commit] = l
	}
	return out
}

// over tells whether nobody uses what was lent, and not just since now.
func (l loan) over(now time.Time) bool {
	return l.lease.Value() == nil && now.Sub(l.last) >= lentFor
}

// lent tells whether a snapshot that keep does not ask for has to stay. Who calls
// holds mu.
func (r *Repository) lent(commit string, keep bool) bool {
	l, now := r.loans[commit], r.opts.Now()
	if l.kept && !keep {
		l.last = now
	}
	l.kept = keep
	if !keep && l.over(now) {
		delete(r.loans, commit)
		return false
	}
	r.loans[commit] = l
	return true
}
