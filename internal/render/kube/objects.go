package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/resource"
)

// objects makes the objects of an app's manifests. What is wrong with several comes
// together.
func (a *app) objects(ctx context.Context, manifests []manifest) ([]resource.Object, error) {
	scopes := defined(manifests)
	made := make([]resource.Object, 0, len(manifests))
	tiers, said := make([]tier, 0, len(manifests)), make([]bool, 0, len(manifests))
	first := map[resource.Key]manifest{}
	var errs []error
	for _, m := range manifests {
		if err := a.ended(ctx); err != nil {
			return nil, err
		}
		o, t, problems := a.object(m, scopes)
		if len(problems) == 0 {
			if other, there := first[o.Key]; there {
				problems = []error{twice(other, m, o.Key)}
			}
			first[o.Key] = m
		}
		if errs = append(errs, problems...); len(errs) >= mistake.MaxProblems {
			break
		}
		made, tiers, said = append(made, o), append(tiers, t), append(said, m.annotation(annotationWave) != "")
	}
	if len(errs) > 0 {
		return nil, mistake.Joined(errs)
	}
	definitionsFirst(tiers, said)
	order := needs(tiers)
	for i := range made {
		made[i].Group, made[i].Needs = tiers[i].String(), slices.Clone(order[tiers[i]])
	}
	a.noteUnused(made)
	return made, nil
}

// definitionsFirst moves namespaces, definitions and the like to the beginning of the
// first wave there is, hooks among them, unless they say a wave themselves: whatever
// is put needs them.
func definitionsFirst(tiers []tier, said []bool) {
	first := slices.MinFunc(tiers, tier.compareWave)
	for i, t := range tiers {
		if t.rank == rankDefinitions && t.phase == 0 && !said[i] {
			tiers[i].phase, tiers[i].wave = first.phase, first.wave
		}
	}
}

// twice names both places of an object that is there twice.
func twice(first, second manifest, key resource.Key) error {
	return mistake.Rejected("remove one of them", "%s: %s: the object is there twice, first in %s", second.at(), key, first.at())
}

// object makes one object, and tells when it is put.
func (a *app) object(m manifest, s scopes) (resource.Object, tier, []error) {
	if errs := a.check(m); len(errs) > 0 {
		return resource.Object{}, tier{}, errs
	}
	key, err := a.place(m, s)
	if err != nil {
		return resource.Object{}, tier{}, []error{err}
	}
	t, err := m.tier()
	if err != nil {
		return resource.Object{}, tier{}, []error{err}
	}
	spec, err := resource.Canonical(m.tree)
	if err != nil {
		return resource.Object{}, tier{}, []error{fmt.Errorf("%s: %s: %w", m.at(), m.title(), err)}
	}
	if len(spec) > maxObject {
		return resource.Object{}, tier{}, []error{mistake.Rejected("a cluster keeps no larger ones; split it", "%s: %s: %d bytes are more than %d", m.at(), m.title(), len(spec), maxObject)}
	}
	o := resource.Object{Key: key, Spec: spec, Sensitive: a.sensitive(key, m.tree), Once: t.jobs, Check: a.healthOf(key)}
	o.Policy, o.Rollback = a.policies()
	if o.Once {
		if o.Job, err = a.job(key.Name); err != nil {
			return resource.Object{}, tier{}, []error{err}
		}
		a.noteBrief(m, spec)
	}
	return o, t, nil
}

// longEnough is how many seconds a Job that has ended should be there, so that an agent
// that is restarted meanwhile still learns of it.
const longEnough = 60

// noteBrief says where a Job goes so soon after its end that it may be missed.
func (a *app) noteBrief(m manifest, spec json.RawMessage) {
	var job struct {
		Spec struct {
			TTL *float64 `json:"ttlSecondsAfterFinished"`
		} `json:"spec"`
	}
	if json.Unmarshal(spec, &job) == nil && job.Spec.TTL != nil && *job.Spec.TTL < longEnough {
		a.note("%s: the cluster removes it so soon after its end that it is run again if the agent is away at that moment: give it %d or more", m.about("spec", "ttlSecondsAfterFinished"), longEnough)
	}
}

// tier is where the object stands in the order.
func (m manifest) tier() (tier, error) {
	group, _ := groupVersion(text(m.tree["apiVersion"]))
	kind := text(m.tree["kind"])
	t := tier{rank: rankOf(group, kind), jobs: group == "batch" && kind == "Job"}
	switch m.hook {
	case "pre":
		t.phase, t.wave = phasePre, m.weight
	case "post":
		t.phase, t.wave = phasePost, m.weight
	default:
		var err error
		if t.wave, err = m.wave(); err != nil {
			return tier{}, err
		}
	}
	return t, nil
}

// policies are how an object rolls out and how it rolls back: a tier at once, each
// within the time that the app's settings give.
func (a *app) policies() (rollout, rollback resource.Policy) {
	ready := time.Duration(a.req.App.Config.Rollout.Timeout)
	return resource.Policy{FailureAction: resource.ActionRollback, Ready: ready},
		resource.Policy{FailureAction: resource.ActionPause, Ready: ready}
}

// healthOf is what the settings say of how objects of this kind feel.
func (a *app) healthOf(key resource.Key) *resource.Check {
	c, ok := a.req.App.Config.Kubernetes.Health[key.Kind]
	if !ok || c.Healthy == "" && c.Failed == "" {
		return nil
	}
	return &resource.Check{Healthy: c.Healthy, Failed: c.Failed}
}

// job is what the settings say of a one-shot.
func (a *app) job(name string) (*resource.Job, error) {
	said := a.req.App.Config.Jobs[name]
	switch resource.OnRollback(said.OnRollback) {
	case "", resource.HaltOnRollback:
		said.OnRollback = string(resource.HaltOnRollback)
	case resource.KeepOnRollback:
	default:
		return nil, mistake.Rejected("halt or keep", "%s: jobs.%s.onRollback: %q is not for a cluster", a.settings(), name, said.OnRollback)
	}
	if said.Before != "" {
		return nil, mistake.Rejected("let waves order jobs (syncd.io/wave)", "%s: jobs.%s.before: not for a cluster", a.settings(), name)
	}
	return &resource.Job{OnRollback: resource.OnRollback(said.OnRollback)}, nil
}

// noteUnused says which settings are about objects that there are not.
func (a *app) noteUnused(objects []resource.Object) {
	kinds, jobs := map[string]bool{}, map[string]bool{}
	for _, o := range objects {
		kinds[o.Key.Kind] = true
		if o.Once {
			jobs[o.Key.Name] = true
		}
	}
	for kind := range a.req.App.Config.Kubernetes.Health {
		if !kinds[kind] {
			a.note("%s: kubernetes.health.%s: the app has no such object", a.settings(), kind)
		}
	}
	for name := range a.req.App.Config.Jobs {
		if !jobs[name] {
			a.note("%s: jobs.%s: the app has no Job of that name", a.settings(), name)
		}
	}
}
