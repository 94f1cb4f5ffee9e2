package forge

// phase is how far an app is with a commit.
type phase string

const (
	unseen  phase = ""        // no pass has looked at it
	running phase = "running" // it is being applied
	waiting phase = "waiting" // something stands in the way, which passes
	good    phase = "good"
	stuck   phase = "stuck" // it cannot be applied here
	bad     phase = "bad"   // it failed, or was taken back
)

// phaseOf is what an outcome of the record means for the commit that it is about;
// waits tells that a blocked app only waits.
func phaseOf(outcome string, waits bool) phase {
	switch outcome {
	case "started":
		return running
	case "applied", "unchanged":
		return good
	case "rolled back", "held", "halted", "rejected":
		return bad
	case "blocked":
		if waits {
			return waiting
		}
		return stuck
	case "degraded", "pending", "paused", "unreachable", "superseded":
		return waiting
	default:
		return unseen
	}
}

// takesBack tells whether a commit that was live before is so no more. One that is
// rejected runs on: a value of the host's own may be missing now.
func takesBack(outcome string) bool {
	return outcome == "rolled back" || outcome == "held" || outcome == "halted"
}

// over tells that a pass has come to a verdict on the commit.
func (p phase) over() bool { return p == good || p == bad || p == stuck }
