package drift

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// Options are what the comparison must know besides the pairs.
type Options struct {
	// Done are the input hashes of jobs that exited 0: such a job is in sync
	// whether its container is still there or not.
	Done map[string]bool
	// Sensitive are JSON pointers besides Object.Sensitive, by slot: what earlier
	// sets marked, and a live instance may still hold.
	Sensitive map[resource.Key][]string
	// Secrets are values that are never shown, wherever a program or an older set
	// repeats them. Those of less than four bytes are in everything and not looked
	// for.
	Secrets []string
	// Ignore are rules for fields that may differ.
	Ignore []Rule
}

// Compare returns one finding per pair, in the order of pairs.
func Compare(pairs []resource.Pair, opts Options) Report {
	report := Report{Findings: make([]Finding, 0, len(pairs))}
	for _, p := range pairs {
		report.Findings = append(report.Findings, judge(p, opts))
	}
	return report
}

func judge(p resource.Pair, opts Options) Finding {
	f := Finding{Key: p.Key, Match: None, Aside: p.Aside}
	switch {
	case p.Deferred != "":
		f.Class, f.Reason = Deferred, p.Deferred
	case foreign(p):
		f.Class, f.Reason = Foreign, "made by "+makerOf(p)+" and never taken over"
	case p.Want == nil:
		f.Class = Extra
	case settled(p, opts): // whatever its container is now: None
		f.Class = InSync
		if usurped(p, opts) {
			f.Class, f.Reason = Extra, "something else runs in the place of a job"
		}
	case len(p.Live) == 0:
		f.Class = Missing
	default:
		return compareLive(f, p, opts)
	}
	return f
}

// makerOf says who made the first foreign instance.
func makerOf(p resource.Pair) string {
	for _, i := range p.Live {
		if i.Foreign && i.Maker != "" {
			return i.Maker
		}
	}
	return "something else"
}

func foreign(p resource.Pair) bool {
	for _, i := range p.Live {
		if i.Foreign {
			return true
		}
	}
	return false
}

// settled tells whether a job needs no run: it exited 0 with this input, or
// nothing asked for it.
func settled(p resource.Pair, opts Options) bool {
	if !p.Want.Once {
		return false
	}
	return opts.Done[p.Want.Hash()] || p.Want.Job != nil && p.Want.Job.OnDemand
}

// usurped tells whether something runs in the slot of a job that needs no run,
// and is not that job: a service that was called like it, another input's run.
func usurped(p resource.Pair, opts Options) bool {
	for _, live := range p.Live {
		all, _ := changes(p, live, opts)
		other := slices.ContainsFunc(all, func(c Change) bool { return !c.InPlace })
		if live.Running && other {
			return true
		}
	}
	return false
}

func compareLive(f Finding, p resource.Pair, opts Options) Finding {
	nearest := best(p, opts)
	f.Changes, f.Ignored = nearest.changes, nearest.ignored
	if nearest.inPlace {
		f.Match = nearest.index
	}
	f.Class = Modified
	if p.By != "" {
		f.By, f.Reason = p.By, "changed by "+p.By
	}
	if len(f.Changes) == 0 {
		f.Class, f.By, f.Reason = InSync, "", ""
		if len(p.Live) > 1 {
			f.Class, f.Reason = Extra, fmt.Sprintf("%d instances where one is wanted", len(p.Live))
		}
	}
	return f
}

// candidate is how far one instance is from what is wanted.
type candidate struct {
	index   int
	changes []Change
	ignored []Ignored
	inPlace bool
	running bool
}

// best returns the instance that needs the least: nothing, a mend in place, or
// the fewest changes; a running one before a stopped one.
func best(p resource.Pair, opts Options) candidate {
	out := candidate{index: None}
	for i, live := range p.Live {
		c := candidate{index: i, inPlace: true, running: live.Running}
		c.changes, c.ignored = changes(p, live, opts)
		for _, ch := range c.changes {
			c.inPlace = c.inPlace && ch.InPlace
		}
		if out.index == None || c.nearer(out) {
			out = c
		}
	}
	return out
}

func (c candidate) nearer(o candidate) bool {
	switch {
	case c.inPlace != o.inPlace:
		return c.inPlace
	case c.running != o.running:
		return c.running
	default:
		return len(c.changes) < len(o.changes)
	}
}

func changes(p resource.Pair, live resource.Instance, opts Options) ([]Change, []Ignored) {
	if bytes.Equal(p.Stored, live.Spec) { // nearly always
		return nil, nil
	}
	d := differ{inPlace: p.InPlace, sensitive: slices.Concat(p.Want.Sensitive, opts.Sensitive[p.Key]), secrets: opts.Secrets}
	if !p.Want.Once { // a job runs as it is wanted
		d.sieve = sieveOf(opts.Ignore, p.Key)
	}
	return d.diff(p.Stored, live.Spec), d.ignored
}

func hasPrefix(pointer string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if pointer == prefix || strings.HasPrefix(pointer, prefix+"/") {
			return true
		}
	}
	return false
}
