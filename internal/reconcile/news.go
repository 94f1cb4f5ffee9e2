package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// What one pass may tell on the target: so many news, in so long.
const (
	mostNews  = 20
	newsLimit = 5 * time.Second
	newsText  = 1000 // bytes
)

// ended is what news of a pass are made of.
type ended struct {
	Result
	// fresh tells that the pass ended otherwise than the one before, asked that a
	// person asked for what it did.
	fresh, asked bool
	// about are the slots that the verdict is about, besides those of the plan.
	about []resource.Key
	// good is the good set.
	good []resource.Object
	// live are the instances that are there now.
	live map[resource.Key]resource.Ref
}

// news is what people read of the pass on the objects themselves: each failure on
// what failed, and how it ended on the workloads concerned.
func (e ended) news() []apply.News {
	var out []apply.News
	for _, f := range e.Failures {
		ref := f.Ref
		if ref.ID == "" {
			ref = e.live[f.Step.Key]
		}
		out = append(out, e.one(f.Step.Key, ref, apply.News{Warning: true, Reason: "Failed", Text: fmt.Sprintf("revision %s: %s", e.Revision.Short(), f.Reason)}))
	}
	if story, told := e.story(); told {
		for _, key := range e.concerned() {
			out = append(out, e.one(key, e.live[key], story))
		}
	}
	out = slices.DeleteFunc(out, func(n apply.News) bool { return n.Ref.ID == "" }) // there is nothing to read it on
	return out[:min(len(out), mostNews)]
}

func (e ended) one(key resource.Key, ref resource.Ref, n apply.News) apply.News {
	n.Key, n.Ref, n.Text = key, ref, resource.Harmless(n.Text, newsText)
	return n
}

// story is how the pass ended, in the words of an event; false where that is no
// news.
func (e ended) story() (apply.News, bool) {
	_, what, mended := strings.Cut(e.Reason, repaired)
	switch {
	case mended && !e.Plan.Empty():
		return apply.News{Reason: "DriftRepaired", Text: repaired + what}, true
	case e.Outcome == Applied:
		text := fmt.Sprintf("revision %s is applied and healthy", e.Revision.Short())
		return apply.News{Reason: "Applied", Text: cmp.Or(e.Reason, text)}, true
	case e.Outcome == RolledBack:
		return apply.News{Reason: "RolledBack", Text: e.Reason, Warning: !e.asked}, true
	case !e.fresh:
		return apply.News{}, false
	case e.Outcome == Pending: // a revision that waits for a person is no news of an object
		return apply.News{Reason: "DriftFound", Text: e.Reason, Warning: true}, strings.HasPrefix(e.Reason, drifted)
	}
	reason, known := map[Outcome]string{Halted: "Halted", Degraded: "Degraded", Rejected: "Quarantined"}[e.Outcome]
	return apply.News{Reason: reason, Text: e.Reason, Warning: true}, known
}

// concerned are the workloads that the story is about; where there is none among
// them, whatever else it is about.
func (e ended) concerned() []resource.Key {
	keys := slices.Clone(e.about)
	for _, s := range e.Plan.Steps {
		if s.Verb == apply.Put {
			keys = append(keys, s.Key)
		}
	}
	if e.Outcome == Pending || e.Outcome == Degraded && len(keys) == 0 {
		for _, f := range e.Report.Different() {
			keys = append(keys, f.Key)
		}
	}
	if e.Outcome == Rejected { // nothing was touched: what it would have replaced goes on
		for _, o := range e.good {
			keys = append(keys, o.Key)
		}
	}
	slices.SortFunc(keys, resource.Key.Compare)
	keys = slices.Compact(keys)
	if workloads := slices.DeleteFunc(slices.Clone(keys), func(k resource.Key) bool { return !runsPods(k) }); len(workloads) > 0 {
		return workloads
	}
	return keys
}

// tell lets a target on which people look for news have those of the pass. It never
// fails the pass: what could not be told is a note.
func (p *pass) tell(ctx context.Context, res *Result) {
	teller, ok := p.target.(apply.Teller)
	if !ok || p.agent.opts.ReadOnly {
		return
	}
	e := ended{Result: *res, fresh: p.saysNew(*res), asked: p.record.Held != nil, about: p.about, live: p.live}
	if p.record.Good != nil {
		e.good = p.record.Good.Objects
	}
	ctx, cancel := context.WithTimeout(ctx, newsLimit)
	defer cancel()
	for _, n := range e.news() {
		if err := teller.Tell(ctx, n); err != nil {
			res.Notes = append(res.Notes, fmt.Sprintf("an event on %s could not be written: %v", n.Key, err))
			return
		}
	}
}
