package compose

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/resource"
)

// jobTable is what is known of each one-shot.
type jobTable map[string]*resource.Job

// plan finds the one-shots: what others need completed, what x-syncd marks, and
// what the jobs of .syncd.yaml name as a way back or as a backup.
func (a *app) plan() error {
	for _, name := range a.project.ServiceNames() {
		s := a.project.Services[name]
		x, err := a.extension(s)
		if err != nil {
			return err
		}
		if x.Job {
			a.once[name] = true
		}
		for on, need := range s.DependsOn {
			if _, ok := a.project.Services[on]; ok && need.Condition == types.ServiceConditionCompletedSuccessfully {
				a.once[on] = true
			}
		}
	}
	return a.planJobs()
}

// planJobs reads the jobs of .syncd.yaml.
func (a *app) planJobs() error {
	a.jobs = jobTable{}
	for name := range a.once {
		a.jobs[name] = &resource.Job{OnRollback: resource.HaltOnRollback}
	}
	config := a.req.App.Config.Jobs
	for _, name := range slices.Sorted(maps.Keys(config)) {
		if err := a.jobTarget(name, name, ""); err != nil {
			return err
		}
		if !a.once[name] {
			return a.rejectJob(name, "", "another service needs it with `condition: service_completed_successfully`, or it says `x-syncd: {job: true}`", "%s is no one-shot", name)
		}
		if err := a.planJob(name, config[name].OnRollback, config[name].Before); err != nil {
			return err
		}
	}
	return a.jobCircle()
}

// jobCircle finds a job whose backup waits for the job itself.
func (a *app) jobCircle() error {
	graph := map[string][]string{}
	for name, s := range a.project.Services {
		graph[name] = slices.Sorted(maps.Keys(s.DependsOn))
		if job := a.jobs[name]; job != nil && job.Before != "" {
			graph[name] = append(graph[name], job.Before)
		}
	}
	if found := cycle(graph); found != nil {
		return mistake.Rejected("", "%s: jobs: the services wait for each other in a circle: %s", a.path(find.Settings), strings.Join(found, " -> "))
	}
	return nil
}

func (a *app) planJob(name, onRollback, before string) error {
	job := a.jobs[name]
	switch run, ok := strings.CutPrefix(onRollback, "run:"); {
	case ok:
		job.OnRollback, job.Run = resource.RunOnRollback, strings.TrimSpace(run)
	case onRollback != "":
		job.OnRollback = resource.OnRollback(onRollback)
	}
	switch {
	case job.OnRollback == resource.HaltOnRollback, job.OnRollback == resource.KeepOnRollback:
	case job.OnRollback == resource.RunOnRollback && job.Run != "":
	default:
		return a.rejectJob(name, ".onRollback", "", "%q is none of halt, keep, run: SERVICE", onRollback)
	}
	job.Before = before
	for _, other := range []pair{{".before", before}, {".onRollback", job.Run}} {
		if other.value == "" {
			continue
		}
		if err := a.jobTarget(name, other.value, other.field); err != nil {
			return err
		}
		if err := a.onDemand(name, other.field, other.value); err != nil {
			return err
		}
	}
	return nil
}

// jobTarget checks that a service of that name exists.
func (a *app) jobTarget(job, service, field string) error {
	if _, ok := a.project.Services[service]; ok {
		return nil
	}
	hint := "the services are " + strings.Join(a.project.ServiceNames(), ", ")
	if _, ok := a.project.DisabledServices[service]; ok {
		hint = "its profile is not among `profiles:` of .syncd.yaml"
	}
	return a.rejectJob(job, field, hint, "there is no service %s", service)
}

// onDemand makes a one-shot of a service that only other jobs start. Nothing
// else may wait for it: it would wait for ever.
func (a *app) onDemand(job, field, service string) error {
	if service == job {
		return a.rejectJob(job, field, "", "%s names itself", service)
	}
	if a.once[service] && a.jobs[service] != nil && !a.jobs[service].OnDemand {
		return nil
	}
	for _, name := range a.project.ServiceNames() {
		if _, ok := a.project.Services[name].DependsOn[service]; ok {
			return a.rejectJob(job, field, "", "%s runs on demand only, and %s depends on it", service, name)
		}
	}
	a.once[service] = true
	a.jobs[service] = &resource.Job{OnRollback: resource.HaltOnRollback, OnDemand: true}
	return nil
}

func (a *app) rejectJob(job, field, hint, format string, args ...any) error {
	return mistake.Rejected(hint, "%s: jobs.%s%s: "+format, append([]any{a.path(find.Settings), job, field}, args...)...)
}
