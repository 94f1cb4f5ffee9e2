package reconcile

// Outcome is how a pass ended, as one word. Log line, metric, notification, API
// and exit code are all drawn from it.
type Outcome string

// The outcomes. Every pass ends in exactly one.
const (
	// Unchanged: what is wanted is what runs, and nothing was done.
	Unchanged Outcome = "unchanged"
	// Applied: something was changed, and it is healthy.
	Applied Outcome = "applied"
	// Degraded: applied, but something that was failing before still is, or a
	// good revision has become unhealthy, or repairs do not converge.
	Degraded Outcome = "degraded"
	// RolledBack: the new revision failed, the good one is back.
	RolledBack Outcome = "rolled back"
	// Held: the wanted revision failed earlier and is not tried again, or a
	// person rolled back.
	Held Outcome = "held"
	// Halted: it failed, and there is nothing to go back to, or going back failed
	// or needs a person.
	Halted Outcome = "halted"
	// Blocked: a dependency, a window, or consent is missing.
	Blocked Outcome = "blocked"
	// Rejected: the input is invalid; what runs goes on.
	Rejected Outcome = "rejected"
	// Superseded: a newer revision came before this one was judged.
	Superseded Outcome = "superseded"
	// Unreachable: engine, registry or Git did not answer; it is tried again.
	Unreachable Outcome = "unreachable"
	// Pending: there are differences, and nobody asked for them to be applied
	// (read-only, sync.auto or sync.selfHeal is false).
	Pending Outcome = "pending"
	// Paused: a person asked for the app to be left alone.
	Paused Outcome = "paused"
)

// ExitCode is the process exit code for a pass that ended so: 0 in sync, 1 any
// other error, 3 the wanted revision is not what runs, 4 halted, 5 blocked or
// degraded.
func (o Outcome) ExitCode() int {
	switch o {
	case Unchanged, Applied:
		return 0
	case RolledBack, Held:
		return 3
	case Halted:
		return 4
	case Blocked, Degraded, Pending, Paused:
		return 5
	default:
		return 1
	}
}

// gravity orders exit codes: 4, 1, 3, 5, 0.
func gravity(code int) int {
	order := map[int]int{4: 4, 1: 3, 3: 2, 5: 1, 0: 0}
	return order[code]
}

// Gravest returns the exit code of several passes.
func Gravest(results []Result) int {
	worst := 0
	for _, r := range results {
		if code := r.Outcome.ExitCode(); gravity(code) > gravity(worst) {
			worst = code
		}
	}
	return worst
}
