package apply

import (
	"strings"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// move is what happens to one slot.
type move int

const (
	keep    move = iota // nothing differs
	mend                // the running instance is mended in place
	start               // a stopped instance of the right kind is started again
	create              // nothing is there
	replace             // a new instance takes over from another one
	restart             // nothing differs, but what it needs was replaced
)

// slot is one wanted object with what the plan decides about it.
type slot struct {
	pair    resource.Pair
	finding drift.Finding
	move    move
	// stopFirst says that the old side must go before the new one comes, with the
	// reason.
	stopFirst bool
	why       string
	// early are the stop steps of instances elsewhere that hold what this slot
	// claims; stopped is the step that already stopped its own old side.
	early   []int
	stopped map[string]int
	// remade marks a slot whose instances all went with a network made anew.
	remade []int
	// put, gate and last are the steps that others wait for; gone are those that
	// removed the old side.
	puts, gates, gone []int
}

func newSlot(p resource.Pair, f drift.Finding) *slot {
	s := &slot{pair: p, finding: f, stopped: map[string]int{}}
	s.move = firstMove(p, f)
	return s
}

func firstMove(p resource.Pair, f drift.Finding) move {
	switch {
	case f.Class == drift.InSync:
		return keep
	case len(p.Live) == 0:
		return create
	case f.Match == drift.None:
		return replace
	case !p.Want.Once && !p.Live[f.Match].Running && holdsClaims(p):
		return start
	default:
		return mend
	}
}

// holdsClaims is true for what runs: networks and volumes are never started.
func holdsClaims(p resource.Pair) bool { return p.Want.Group != "" }

func (s *slot) want() *resource.Object { return s.pair.Want }

// fresh tells whether a put of this slot brings an instance to life, which then
// holds the object's claims.
func (s *slot) fresh() bool { return s.move == create || s.move == replace || s.move == start }

// others are the live instances that the match makes superfluous.
func (s *slot) others() []resource.Instance {
	var out []resource.Instance
	for i, live := range s.pair.Live {
		if s.move == replace || i != s.finding.Match {
			out = append(out, live)
		}
	}
	return out
}

func (s *slot) runningOthers() []resource.Instance {
	var out []resource.Instance
	for _, o := range s.others() {
		if o.Running {
			out = append(out, o)
		}
	}
	return out
}

// cause says in one line why the slot changes.
func (s *slot) cause() string {
	switch {
	case s.move == create || len(s.finding.Changes) == 0:
		return string(s.finding.Class)
	default:
		return summary(s.finding.Changes)
	}
}

// summary joins the first changes; the rest is counted.
func summary(changes []drift.Change) string {
	const shown = 3
	var parts []string
	for i, c := range changes {
		if i == shown {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}
