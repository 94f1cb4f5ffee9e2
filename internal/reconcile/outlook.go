package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// The outcomes of lines of history about the repository, and about windows.
const (
	sourceStale       = "stale"
	sourceDiverged    = "diverged"
	sourceUnverified  = "unverified"
	sourceUnreachable = "unreachable"
	sourceRecovered   = "recovered"
	kindWindow        = "window"
	windowPending     = "pending"
)

// patience is how long trouble with a remote lasts before it is told: servers are
// restarted, and mirrors follow by and by. What nobody should have to wait for is told
// at once.
func patience(outcome string) time.Duration {
	switch outcome {
	case sourceUnreachable:
		return 5 * time.Minute
	case sourceStale:
		return 15 * time.Minute
	}
	return 0
}

// outlook is what the history says of the repository. It belongs to the follower.
type outlook struct {
	// told is the last outcome by remote; nil where the history was not read yet.
	told map[string]string
	// since is when the trouble of a source without remotes began; zero is none.
	since time.Time
}

// sight is how one remote stands, in the words of the history.
type sight struct {
	name, outcome, reason, hint string
	since                       time.Time
}

// bookSource writes to the history that trouble with a remote has lasted, and that it
// is over: once each, whatever restarts in between.
func (f *follower) bookSource(trouble error) {
	if f.opts.ReadOnly || f.opts.Store == nil {
		return
	}
	if err := f.bookSights(f.sights(trouble)); err != nil {
		f.hear(Event{Text: "trouble with the repository cannot be booked: " + err.Error()})
	}
}

func (f *follower) bookSights(all []sight) error {
	if err := f.recall(); err != nil {
		return err
	}
	for _, s := range append(all, f.gone(all)...) {
		before := f.outlook.told[s.name]
		if s.outcome == "" || before == s.outcome || s.outcome == sourceRecovered && before == "" || f.opts.Now().Sub(s.since) < patience(s.outcome) {
			continue
		}
		e := state.Entry{At: f.opts.Now(), Kind: state.SourceKind, Outcome: s.outcome, Reason: s.reason, Hint: s.hint, Incident: incidentOfSource + s.name}
		if _, err := f.opts.Store.Append(e); err != nil {
			return err
		}
		f.outlook.told[s.name] = s.outcome
	}
	return nil
}

// incidentOfSource begins the name of what is told of a remote.
const incidentOfSource = "source "

// recall reads what was told before this process.
func (f *follower) recall() error {
	if f.outlook.told != nil {
		return nil
	}
	entries, err := f.opts.Store.History("", 0)
	if err != nil {
		return fmt.Errorf("read what was told of the repository: %w", err)
	}
	f.outlook.told = map[string]string{}
	for _, e := range entries { // the newest first
		name, ok := strings.CutPrefix(e.Incident, incidentOfSource)
		if _, newer := f.outlook.told[name]; ok && !newer && e.Kind == state.SourceKind {
			f.outlook.told[name] = e.Outcome
		}
	}
	return nil
}

// gone are the remotes of which trouble was told, and that are configured no longer.
func (f *follower) gone(all []sight) []sight {
	if len(all) == 0 { // nothing is known
		return nil
	}
	var out []sight
	for _, name := range slices.Sorted(maps.Keys(f.outlook.told)) {
		if !slices.ContainsFunc(all, func(s sight) bool { return s.name == name }) {
			out = append(out, sight{name: name, outcome: sourceRecovered, reason: fmt.Sprintf("%s is no longer among the remotes", name)})
		}
	}
	return out
}

// sights is how each remote stands; where the source has none, how it stands as a
// whole.
func (f *follower) sights(trouble error) []sight {
	var out []sight
	remotes := f.Remotes()
	served := slices.ContainsFunc(remotes, func(r source.RemoteStatus) bool { return r.State == source.RemoteServing })
	for _, r := range remotes {
		s := sightOf(r)
		if served && r.State == source.RemoteStandby { // its trouble was that of a process before
			s.outcome, s.reason = sourceRecovered, fmt.Sprintf("remote %s is not needed, another serves", r.Name)
		}
		out = append(out, s)
	}
	if len(out) > 0 {
		return out
	}
	s := sight{name: "repository", outcome: sourceRecovered, reason: "the repository can be read again"}
	if trouble == nil {
		f.outlook.since = time.Time{}
		return append(out, s)
	}
	if f.outlook.since.IsZero() {
		f.outlook.since = f.opts.Now()
	}
	s.since, s.reason, s.hint = f.outlook.since, trouble.Error(), fault.Advice(trouble)
	switch {
	case unsigned(trouble):
		s.outcome = sourceUnverified
	case fault.Of(trouble) == fault.Unreachable:
		s.outcome = sourceUnreachable
	case fault.Of(trouble) == fault.Blocked:
		s.outcome = sourceDiverged
	default: // the revision is to blame, and told so with the apps
		return out
	}
	return append(out, s)
}

func sightOf(r source.RemoteStatus) sight {
	s := sight{name: r.Name, since: r.Since, hint: r.Hint, reason: fmt.Sprintf("remote %s is %s: %s", r.Name, r.State, r.Reason)}
	switch r.State {
	case source.RemoteStale:
		s.outcome = sourceStale
	case source.RemoteDiverged, source.RemoteUnproven, source.RemoteMoved:
		s.outcome = sourceDiverged
	case source.RemoteUntrusted:
		s.outcome = sourceUnverified
	case source.RemoteUnreachable, source.RemoteRefused, source.RemoteMissing:
		s.outcome = sourceUnreachable
	case source.RemoteServing:
		s.outcome, s.reason = sourceRecovered, fmt.Sprintf("remote %s serves again", r.Name)
	}
	return s
}

// bookWindow tells that something waits for a window: once for each thing that does,
// whatever restarts in between, until it has its turn or is no longer wanted.
func (p *pass) bookWindow(res Result) {
	rec := &p.record
	isGood := rec.Good != nil && p.wanted == rec.Good.Digest
	switch {
	case p.agent.opts.ReadOnly:
	case isGood || res.Outcome == RolledBack:
		rec.Waits = ""
	case res.Cause == CauseWindow && rec.Waits != p.wanted:
		rec.Waits = p.wanted
		e := p.line(kindWindow, windowPending, res.Revision)
		e.Reason, e.Hint = res.Reason, res.Hint
		p.owed = append(p.owed, e)
	}
}
