package reconcile

import "fmt"

// why explains a decision to whoever wants to hear each of them. What it is told is
// shown: it names objects and revisions, and never values.
func (a *Agent) why(app, format string, args ...any) {
	if a.opts.Why != nil {
		a.opts.Why(app, fmt.Sprintf(format, args...))
	}
}

func (w *worker) why(format string, args ...any) { w.agent.why(w.name, format, args...) }

// whySeen explains what a look at the repository has found.
func (a *Agent) whySeen(before, now *catalog, err error) {
	switch {
	case a.opts.Why == nil:
	case err != nil:
		a.why("", "the repository was looked at, and cannot be followed now: %v", err)
	case before != nil && before.snapshot.Revision.Commit == now.snapshot.Revision.Commit:
		a.why("", "the repository was looked at: it is at %s still", now.snapshot.Revision.Short())
	default:
		a.why("", "the repository was looked at: %s asks for %d apps", now.snapshot.Revision.Short(), len(now.apps))
	}
}

// said is why a course is taken; v is what stands in the way of others.
func (c course) said(v verdict) string {
	switch c {
	case settle:
		return "it asks for what is good already: only drift is looked for"
	case change:
		return "it asks for something that is not good yet: that is put"
	default:
		return "what it asks for stays out, and what is good is looked after: " + v.reason
	}
}
