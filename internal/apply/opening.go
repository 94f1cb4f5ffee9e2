package apply

import (
	"slices"

	"syncd.io/syncd/internal/resource"
)

// launch begins every step whose gate is open; once the rollout was told to end,
// only what it owes.
func (x *run) launch(c contexts) {
	ended, owed, never, waived := x.ended(), x.owed(), x.stuck(), x.waived()
	for _, s := range x.plan.Steps {
		if _, begun := x.state[s.ID]; begun || !x.open(s, never, waived) {
			continue
		}
		patience := c.waits
		switch {
		case owed[s.ID] && s.Verb == Await:
			patience = c.owed
		case owed[s.ID]:
			patience = c.work
		case ended || x.over():
			continue
		}
		x.state[s.ID] = Begun
		x.running++
		go func() { x.results <- x.caught(c.work, patience, s) }()
	}
}

// owed are the steps that fill the slots which this rollout has emptied, with
// all that they wait for: nobody serves until they are done. A failure ends
// that: the way back fills them.
func (x *run) owed() map[int]bool {
	out := map[int]bool{}
	if len(x.outcome.Failures) > 0 {
		return out
	}
	emptied := map[resource.Key]bool{}
	for _, s := range x.plan.Steps {
		emptied[s.Key] = emptied[s.Key] || x.empties(s) && x.state[s.ID] == Done
	}
	for _, s := range slices.Backward(x.plan.Steps) {
		if !out[s.ID] && (s.Verb != Put || s.Tidy || s.holds() || !emptied[s.Key] && !x.follows(s)) {
			continue
		}
		out[s.ID] = true
		for _, id := range slices.Concat(s.After, s.Soft) {
			out[id] = true
		}
	}
	return out
}

// empties tells whether nobody serves in the step's slot once it is done. A job serves
// nobody.
func (x *run) empties(s Step) bool {
	switch s.Verb {
	case Stop:
		return true
	case Remove:
		return !s.Tidy && !slices.ContainsFunc(x.plan.Steps, func(p Step) bool { return p.Key == s.Key && p.Object != nil && p.Object.Once })
	default:
		return s.holds()
	}
}

// follows tells whether the step takes the place of one elsewhere that has been
// stopped.
func (x *run) follows(s Step) bool {
	return slices.ContainsFunc(s.After, func(id int) bool { return x.plan.Steps[id-1].Verb == Stop && x.state[id] == Done })
}

// open tells whether all that the step waits for is there. A step behind a
// failed one never opens, nor does what is waived; who waits for that does not.
func (x *run) open(s Step, stuck map[int]bool, waived map[int]resource.Key) bool {
	if _, never := waived[s.ID]; never {
		return false
	}
	for _, id := range s.After {
		_, never := waived[id]
		if p := x.state[id]; p != Done && !never && !(p == Tolerated && x.harmless(id)) {
			return false
		}
	}
	for _, id := range s.Soft {
		_, never := waived[id]
		if p := x.state[id]; !stuck[id] && !never && (p == "" || p == Begun) {
			return false
		}
	}
	return true
}

// waived are the rest of a slot's turn whose new instance failed within its group's
// failure ratio, with the slot: it does not enter, and nobody leaves for it.
func (x *run) waived() map[int]resource.Key {
	out := map[int]resource.Key{}
	for _, s := range x.plan.Steps {
		for _, id := range s.After {
			before := x.plan.Steps[id-1]
			slot, never := out[id]
			failed := before.Verb == Await && before.Key.Kind != routeKind && x.state[id] == Tolerated && x.harmless(id)
			switch {
			case failed && (s.Key == before.Key || s.Traffic.lets(before.Made)):
				out[s.ID] = before.Key
			case never && (s.Key == slot || s.Verb == Await && s.Made == id):
				out[s.ID] = slot
			}
		}
	}
	return out
}

// stuck are the steps that can never begin, because one that they stand behind
// failed or is stuck itself. Steps stand behind earlier ones only.
func (x *run) stuck() map[int]bool {
	out := map[int]bool{}
	for _, s := range x.plan.Steps {
		for _, id := range s.After {
			p := x.state[id]
			if out[id] || p == FailedNow || p == Tolerated && !x.harmless(id) {
				out[s.ID] = true
			}
		}
	}
	return out
}

// harmless tells whether a tolerated step may be built upon: one within its
// group's failure ratio, or a removal. What was failing before may not: what
// needs it would be blamed. Nor may a job: it has not done what others need.
func (x *run) harmless(id int) bool {
	s := x.plan.Steps[id-1]
	return !s.Innocent && s.Until != resource.Completed
}
