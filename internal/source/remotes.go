package source

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// RemoteState is what became of the last question to a remote, in one word.
type RemoteState string

// The states of a remote.
const (
	// RemoteStandby was not asked yet, or not since it began to be needless: one
	// before it serves.
	RemoteStandby RemoteState = "standby"
	// RemoteServing names the revision that is followed.
	RemoteServing RemoteState = "serving"
	// RemoteStale is behind what was accepted.
	RemoteStale RemoteState = "stale"
	// RemoteDiverged has another history, RemoteUnproven one that cannot be compared.
	RemoteDiverged RemoteState = "diverged"
	RemoteUnproven RemoteState = "unproven"
	// RemoteMoved has another commit under the same tag.
	RemoteMoved RemoteState = "moved"
	// RemoteUntrusted has a revision that is not signed as it has to be.
	RemoteUntrusted RemoteState = "untrusted"
	// RemoteUnreachable does not answer, RemoteRefused wants another login, and
	// RemoteMissing has no such ref, or no repository.
	RemoteUnreachable RemoteState = "unreachable"
	RemoteRefused     RemoteState = "refused"
	RemoteMissing     RemoteState = "missing"
)

// RemoteStates are all states.
func RemoteStates() []RemoteState {
	return []RemoteState{
		RemoteStandby, RemoteServing, RemoteStale, RemoteDiverged, RemoteUnproven, RemoteMoved, RemoteUntrusted, RemoteUnreachable, RemoteRefused, RemoteMissing,
	}
}

// RefusingStates are those of a remote that named something that is not followed.
func RefusingStates() []RemoteState {
	return []RemoteState{RemoteStale, RemoteDiverged, RemoteUnproven, RemoteMoved, RemoteUntrusted}
}

// Suspicious tells of a state that a person has to look into: this remote has
// something that was accepted nowhere.
func (s RemoteState) Suspicious() bool {
	return slices.Contains([]RemoteState{RemoteDiverged, RemoteUnproven, RemoteMoved}, s)
}

// RemoteStatus is what is known of repo.url, or of a mirror.
type RemoteStatus struct {
	// Name is the URL, without a secret.
	Name  string      `json:"name"`
	State RemoteState `json:"state"`
	// Head is the commit that it named last, at Answered; empty where it never did.
	Head     string    `json:"head,omitempty"`
	Answered time.Time `json:"answered,omitzero"`
	// Since is when it came to this state.
	Since time.Time `json:"since,omitzero"`
	// Reason says why it does not serve, with its hint.
	Reason string `json:"reason,omitempty"`
	Hint   string `json:"hint,omitempty"`
	// Until is when it is asked again, as long as another one serves.
	Until time.Time `json:"until,omitzero"`
	// Bundles are those that it is made of, the newest first.
	Bundles []BundleState `json:"bundles,omitempty"`
	// Refused is how many heads it has named since the start that were not followed, by
	// the state that made of it. One counts once, however often it is seen.
	Refused map[RemoteState]uint64 `json:"-"`
}

// standing is what is remembered of a remote between two questions.
type standing struct {
	RemoteStatus
	err error // that Reason says
	// misses are the questions in a row that brought nothing.
	misses int
	// told is true where the server itself asked to be left alone until Until.
	told bool
}

// The pauses between two questions to a remote that gave no revision, while another
// one does.
const (
	firstPause = 30 * time.Second
	lastPause  = 5 * time.Minute
)

// pauseAfter is the pause after so many questions in a row that brought nothing.
// The jitter keeps many hosts from asking a server that comes back all at once.
func pauseAfter(misses int) time.Duration {
	pause := min(firstPause<<min(misses-1, 4), lastPause)
	return pause - pause/4 + rand.N(pause/2+1)
}

// queue returns whom to ask now, in order: all that are not to be left alone. Where
// that is nobody, all are asked but those that asked for it themselves: the polls of a
// repository that nobody gives have pauses of their own.
func queue(all []standing, now time.Time) []int {
	var due, patient []int
	for i, s := range all {
		if !now.Before(s.Until) {
			due = append(due, i)
		}
		if !s.away(now) {
			patient = append(patient, i)
		}
	}
	if len(due) > 0 {
		return due
	}
	return patient
}

// serve notes that remote i named the commit that is followed. One that had to be asked
// for more then, and wants to be left alone, is.
func (r *Repository) serve(i int, commit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.opts.Now()
	for j := range r.standings {
		s := &r.standings[j]
		switch {
		case j == i && s.away(now):
			s.Head, s.Answered = commit, now
		case j == i:
			s.misses, s.told, s.Until, s.Head, s.Answered = 0, false, time.Time{}, commit, now
			s.become(RemoteServing, nil, now)
		case s.State == RemoteServing:
			s.become(RemoteStandby, nil, now)
		}
	}
}

// passOver notes that remote i did not give what is followed; head is empty where it gave
// no answer at all.
func (r *Repository) passOver(i int, state RemoteState, head string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.opts.Now()
	s := &r.standings[i]
	s.count(state, head)
	if head != "" {
		s.Head, s.Answered = head, now
	}
	s.misses++
	s.told, s.Until = false, now.Add(pauseAfter(s.misses))
	if r.origins[i].nearby() { // it costs nobody anything, and tells when it changes
		s.Until = time.Time{}
	}
	if after := fault.After(err); after > 0 {
		s.told, s.Until = true, now.Add(min(after, remote.MaxAfter))
	}
	s.become(state, err, now)
}

// count counts a head that is not followed, unless it was counted when it was seen last.
func (s *standing) count(state RemoteState, head string) {
	if !slices.Contains(RefusingStates(), state) || s.State == state && s.Head == head {
		return
	}
	if s.Refused == nil {
		s.Refused = map[RemoteState]uint64{}
	}
	s.Refused[state]++
}

// heed leaves remote i alone where it answered that it wants that for a while, whatever
// it was asked for.
func (r *Repository) heed(i int, err error) {
	if fault.After(err) > 0 {
		r.passOver(i, RemoteUnreachable, "", err)
	}
}

// away tells whether the server itself asked to be left alone until later than now.
func (s *standing) away(now time.Time) bool { return s.told && now.Before(s.Until) }

func (s *standing) become(state RemoteState, err error, now time.Time) {
	if s.State != state {
		s.State, s.Since = state, now
	}
	s.err, s.Reason, s.Hint = err, "", fault.Advice(err)
	if err != nil {
		s.Reason = err.Error()
	}
}

// stateOf is the state of a remote whose answer was an error.
func stateOf(err error) RemoteState {
	switch fault.Of(err) {
	case fault.Blocked:
		return RemoteRefused
	case fault.Rejected:
		return RemoteMissing
	}
	return RemoteUnreachable
}

// Remotes says what is known of repo.url and of each mirror, in their order.
func (r *Repository) Remotes() []RemoteStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]RemoteStatus, len(r.standings))
	for i, s := range r.standings {
		out[i] = s.RemoteStatus
		out[i].Bundles, out[i].Refused = r.origins[i].held(), maps.Clone(s.Refused)
	}
	return out
}

// names are the URLs of all remotes.
func (r *Repository) names() []string {
	var out []string
	for _, o := range r.origins {
		out = append(out, o.name())
	}
	return out
}
