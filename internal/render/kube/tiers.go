package kube

import (
	"cmp"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// tier is what is put together: all objects of one rank in one wave. One-shots are
// beside what runs on, under a name of their own.
type tier struct {
	phase int // -1 before all waves, 1 after them
	wave  int // or the weight of a hook
	rank  rank
	jobs  bool
}

// The phases of hooks, around all waves.
const (
	phasePre  = -1
	phasePost = 1
)

// String is the group's name: "0.1 config", "pre:-5.2 jobs".
func (t tier) String() string {
	word := t.rank.String()
	if t.jobs {
		word = "jobs"
	}
	return fmt.Sprintf("%s.%d %s", t.waveName(), int(t.rank), word)
}

func (t tier) waveName() string {
	name := map[int]string{phasePre: "pre", phasePost: "post"}[t.phase]
	switch {
	case name == "":
		return fmt.Sprint(t.wave)
	case t.wave == 0:
		return name
	}
	return fmt.Sprintf("%s:%d", name, t.wave)
}

func (t tier) compare(o tier) int {
	jobs := map[bool]int{true: 1}
	return cmp.Or(t.compareRank(o), cmp.Compare(jobs[t.jobs], jobs[o.jobs]))
}

// compareRank is compare without regard to jobs: what it finds equal needs nothing
// of each other.
func (t tier) compareRank(o tier) int {
	return cmp.Or(t.compareWave(o), cmp.Compare(t.rank, o.rank))
}

func (t tier) compareWave(o tier) int {
	return cmp.Or(cmp.Compare(t.phase, o.phase), cmp.Compare(t.wave, o.wave))
}

// needs are what each tier needs of those before it: the nearest rank of its wave,
// and where it is the first of its wave, all of the wave before. A rollback keeps
// this order too.
func needs(tiers []tier) map[tier][]resource.Need {
	sorted := slices.Clone(tiers)
	slices.SortFunc(sorted, tier.compare)
	sorted = slices.Compact(sorted)
	out := map[tier][]resource.Need{}
	for _, t := range sorted {
		var same, before []tier // of this wave, of the one before
		for _, o := range sorted {
			switch {
			case o.compareRank(t) >= 0:
			case o.compareWave(t) == 0:
				same = append(same, o)
			default:
				before = append(before, o)
			}
		}
		if len(same) > 0 {
			out[t] = needsOf(nearest(same, tier.compareRank), startedOrHealthy)
			continue
		}
		out[t] = needsOf(nearest(before, tier.compareWave), func(tier) resource.Condition { return resource.Healthy })
	}
	return out
}

// nearest are the last of sorted tiers, with all that compare finds equal.
func nearest(sorted []tier, compare func(tier, tier) int) []tier {
	if len(sorted) == 0 {
		return nil
	}
	last := sorted[len(sorted)-1]
	return slices.DeleteFunc(sorted, func(t tier) bool { return compare(t, last) != 0 })
}

func needsOf(tiers []tier, condition func(tier) resource.Condition) []resource.Need {
	var out []resource.Need
	for _, t := range tiers {
		out = append(out, resource.Need{Group: t.String(), Condition: condition(t), Required: true, Always: true})
	}
	return out
}

// startedOrHealthy is how far a rank must have come for the next one of its wave: a
// definition must be served, everything else must be there.
func startedOrHealthy(t tier) resource.Condition {
	if t.rank == rankDefinitions {
		return resource.Healthy
	}
	return resource.Started
}
