package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// keptQuarantine bounds how many failed digests are remembered.
const keptQuarantine = 50

// rejected keeps a set out that is invalid. Nothing was touched yet, so there is
// nothing to undo, unless an earlier attempt left something behind: one of
// another set is gone on with, one of this set has failed.
func (p *pass) rejected(ctx context.Context, cand *candidate, err error) verdict {
	q := p.quarantine(cand.set, fault.Rejected, err.Error())
	if a := p.record.Attempt; a != nil && a.Set.Digest == cand.set.Digest {
		return p.retreat(ctx, cand.set, q, apply.Outcome{})
	}
	return p.keepGood(ctx, verdictOf(err))
}

func (p *pass) quarantine(set state.Set, class fault.Class, reason string) state.Quarantined {
	q := state.Quarantined{
		Digest: set.Digest, Inputs: set.Inputs, Revision: set.Revision,
		Class: class.String(), Reason: reason, At: p.agent.opts.Now(),
	}
	list := append(p.record.Quarantine, q)
	p.record.Quarantine = list[max(0, len(list)-keptQuarantine):]
	return q
}

// failed draws the consequence of a rollout that failed: the set is quarantined,
// and the good one is put back, unless something forbids it.
func (p *pass) failed(ctx context.Context, cand *candidate, outcome apply.Outcome) verdict {
	first := outcome.Failures[0]
	q := p.quarantine(cand.set, first.Class, reasonOf(first))
	if err := p.keepLogs(cand.set, outcome.Failures); err != nil {
		p.result.Notes = append(p.result.Notes, err.Error())
	}
	return p.retreat(ctx, cand.set, q, outcome)
}

// retreat puts the good set back in place of a failed one, unless something
// forbids it.
func (p *pass) retreat(ctx context.Context, failed state.Set, q state.Quarantined, outcome apply.Outcome) verdict {
	// The way back is not pre-empted: a host between two versions helps nobody.
	p.uninterruptible()
	if p.life != nil {
		ctx = p.life
	}
	if why := p.noWayBack(failed, outcome); why != "" {
		return p.halt(ctx, q.Revision, q.Reason, outcome, why)
	}
	return p.goBack(ctx, &q)
}

// reasonOf names service, check, exit code and the last lines, as a person
// reads it first.
func reasonOf(f apply.Failure) string {
	reason := f.String()
	if len(f.Lines) > 0 {
		reason += "; last output: " + strings.TrimSpace(f.Lines[len(f.Lines)-1])
	}
	return reason
}

// noWayBack says why the good set is not put back; empty where it is.
func (p *pass) noWayBack(failed state.Set, outcome apply.Outcome) string {
	good := p.record.Good
	switch {
	case good == nil:
		return "there is no good revision to go back to"
	case good.Digest == failed.Digest:
		return "the revision to go back to is the one that failed"
	case !p.config().AutoRollback():
		return "rollback.auto is false"
	case len(outcome.Failures) > 0 && pauses(outcome.Failures[0]):
		return "update_config.failure_action is pause"
	}
	return p.jobForbids(failed)
}

func pauses(f apply.Failure) bool {
	return f.Step.Object != nil && f.Step.Object.Policy.FailureAction == resource.ActionPause
}

// jobForbids names a job that changed data in the failed attempt and whose
// policy is to halt.
func (p *pass) jobForbids(failed state.Set) string {
	for _, o := range failed.Objects {
		if name := jobName(o); o.Once && p.ran(name) && onRollback(o) == resource.HaltOnRollback {
			return fmt.Sprintf("job %s ran and may have changed data that the good revision cannot read (jobs.%s.onRollback)", name, name)
		}
	}
	return ""
}

func (p *pass) ran(job string) bool {
	for _, name := range p.record.Attempt.Ran {
		if name == job {
			return true
		}
	}
	return false
}

func onRollback(o resource.Object) resource.OnRollback {
	if o.Job == nil || o.Job.OnRollback == "" {
		return resource.HaltOnRollback
	}
	return o.Job.OnRollback
}

// runsOnRollback are the on-demand jobs that the failed set wants run on the way
// back, with their objects.
func (p *pass) runsOnRollback(failed state.Set) (names []string, objects []resource.Object) {
	for _, o := range failed.Objects {
		if !o.Once || !p.ran(jobName(o)) || onRollback(o) != resource.RunOnRollback {
			continue
		}
		names = append(names, o.Job.Run)
		for _, job := range failed.Objects {
			if jobName(job) == o.Job.Run {
				objects = append(objects, job)
			}
		}
	}
	return names, objects
}

// halt stops for a person to look. What failed stays for inspection and is kept
// from restarting.
func (p *pass) halt(ctx context.Context, of source.Revision, reason string, outcome apply.Outcome, why string) verdict {
	p.stopFailed(ctx, outcome)
	p.record.Remains = p.record.Attempt.Set.Mounts
	p.record.Attempt = nil
	p.record.Halted = fmt.Sprintf("%s, and %s", reason, why)
	return verdict{outcome: Halted, reason: p.record.Halted,
		hint: fmt.Sprintf("merge a fix, or: syncd logs %s --attempt %s, then syncd retry %s", p.name, of.Short(), p.name)}
}

// stopFailed stops the instances that failed, but for those that the good set has
// just so: they were there before.
func (p *pass) stopFailed(ctx context.Context, outcome apply.Outcome) {
	stopper, ok := p.target.(apply.Stopper)
	for _, f := range outcome.Failures {
		if !ok || f.Step.Verb != apply.Await || f.Ref.ID == "" || p.isGood(*f.Step.Object) {
			continue
		}
		if err := stopper.Stop(ctx, f.Step.Key, f.Ref); err != nil {
			p.result.Notes = append(p.result.Notes, "stop what failed: "+err.Error())
		}
	}
}

func (p *pass) isGood(o resource.Object) bool {
	return p.record.Good != nil && slices.ContainsFunc(p.record.Good.Objects, func(g resource.Object) bool {
		return g.Key == o.Key && bytes.Equal(g.Spec, o.Spec)
	})
}

// keepLogs stores what the failed instances printed last.
func (p *pass) keepLogs(set state.Set, failures []apply.Failure) error {
	for _, f := range failures {
		log := state.FailedLog{
			App: p.name, Revision: set.Revision, Slot: f.Step.Key, Ref: f.Ref,
			At: p.agent.opts.Now(), Reason: f.Reason, Lines: f.Lines,
		}
		if err := p.agent.opts.Store.SaveLog(log); err != nil {
			return fmt.Errorf("keep the log of %s: %w", f.Step.Key, err)
		}
	}
	return nil
}
