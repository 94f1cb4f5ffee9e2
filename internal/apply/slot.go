package apply

import (
	"slices"
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
	// because says why the slot changes where the finding does not: what it needs
	// was replaced.
	because string
	// stopFirst says that the old side must go before the new one comes, and why
	// so.
	stopFirst bool
	why       string
	// rivals are instances elsewhere that hold what this slot claims.
	rivals []rival
	// remade marks a slot that goes down with a network made anew.
	remade bool
	// puts are the steps that put the new side, gates those that prove it, gone
	// those that remove the old side.
	puts, gates, gone []int
}

func newSlot(p resource.Pair, f drift.Finding) *slot {
	return &slot{pair: p, finding: f, move: firstMove(p, f)}
}

func firstMove(p resource.Pair, f drift.Finding) move {
	switch {
	case f.Class == drift.InSync, usurped(p, f):
		return keep
	case len(p.Live) == 0:
		return create
	case f.Match == drift.None:
		return replace
	case !p.Want.Once && !p.Live[f.Match].Running && runs(p):
		return start
	default:
		return mend
	}
}

// usurped tells whether something else runs in the slot of a job that needs no
// run: it goes with what is no longer wanted.
func usurped(p resource.Pair, f drift.Finding) bool {
	return p.Want.Once && f.Class == drift.Extra && f.Match == drift.None
}

// runs tells instances, which are started and stopped, from networks and
// volumes.
func runs(p resource.Pair) bool { return p.Want.Group != "" }

func (s *slot) want() *resource.Object { return s.pair.Want }

// fresh tells whether a put of this slot brings an instance to life, which then
// holds the object's claims.
func (s *slot) fresh() bool {
	return s.move == create || s.move == replace || s.move == start || s.move == restart || s.begins()
}

// begins tells whether a job's put lets it run: one that runs already is only
// looked at.
func (s *slot) begins() bool {
	return s.want().Once && s.move != keep && !(s.move == mend && s.pair.Live[s.finding.Match].Running)
}

// others are the live instances that the match makes superfluous.
func (s *slot) others() []resource.Instance {
	var out []resource.Instance
	for i, live := range s.pair.Live {
		if s.move == replace || s.remade && s.move == create || i != s.finding.Match {
			out = append(out, live)
		}
	}
	return out
}

// runningOthers are those of them that run when the slot's turn comes.
func (s *slot) runningOthers() []resource.Instance {
	if s.remade {
		return nil
	}
	return slices.DeleteFunc(s.others(), func(o resource.Instance) bool { return !o.Running })
}

// leaves tells whether inst will not be part of the slot when the plan is done.
func (s *slot) leaves(inst resource.Instance) bool {
	return slices.ContainsFunc(s.others(), func(o resource.Instance) bool { return o.Ref.ID == inst.Ref.ID })
}

// live tells whether any instance of the slot runs when its turn comes.
func (s *slot) live() bool {
	return !s.remade && slices.ContainsFunc(s.pair.Live, func(i resource.Instance) bool { return i.Running })
}

// frailty orders the slots of a group: what serves nobody changes first, and
// what serves well last.
func (s *slot) frailty() int {
	switch {
	case !s.live():
		return 0
	case slices.ContainsFunc(s.pair.Live, func(i resource.Instance) bool { return i.Running && i.Health.State == resource.Well }):
		return 2
	default:
		return 1
	}
}

// cause says in one line why the slot changes.
func (s *slot) cause() string {
	var parts []string
	if s.because != "" {
		parts = append(parts, s.because)
	}
	switch {
	case len(s.finding.Changes) > 0:
		parts = append(parts, summary(s.finding.Changes))
	case s.finding.Reason != "":
		parts = append(parts, s.finding.Reason)
	case s.because == "":
		parts = append(parts, string(s.finding.Class))
	}
	return strings.Join(parts, "; ")
}

// summary joins the first changes; the rest is counted.
func summary(changes []drift.Change) string {
	const shown = 3
	var parts []string
	for _, c := range changes {
		if c.Path == "pin" && len(changes) > 1 {
			continue // it follows the image's name
		}
		if len(parts) == shown {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, c.String())
	}
	return strings.Join(parts, ", ")
}
