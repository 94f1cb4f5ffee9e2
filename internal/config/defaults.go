package config

import (
	"cmp"
	"strings"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Defaults returns h with every setting that is not given filled in: state,
// socket, interval, limits and webhook. It is applied after the command line's flags were.
func (h Host) Defaults() Host {
	h.State = cmp.Or(h.State, "/var/lib/syncd")
	h.Socket = cmp.Or(h.Socket, "/run/syncd/syncd.sock")
	if len(h.Repo.Schedule) == 0 { // one that is given alone is what is meant
		h.Repo.Interval = cmp.Or(h.Repo.Interval, Duration(30*time.Second))
	}
	h.Webhook = h.Webhook.Defaults()
	h.Repo.MaxInterval = cmp.Or(h.Repo.MaxInterval, max(h.Repo.Interval, min(10*h.Repo.Interval, Duration(5*time.Minute))))
	h.Repo.Timeout = cmp.Or(h.Repo.Timeout, Duration(15*time.Second))
	h.Packs.Size = cmp.Or(h.Packs.Size, 64<<30)
	h.Limits = h.Limits.Defaults()
	return h
}

// Defaults returns l with every limit that is not given filled in: what a
// repository of hand-written files stays far below.
func (l Limits) Defaults() Limits {
	l.FetchTime = cmp.Or(l.FetchTime, Duration(5*time.Minute))
	l.FetchMemory = cmp.Or(l.FetchMemory, 1<<30)
	l.FetchDisk = cmp.Or(l.FetchDisk, 2<<30)
	l.File = cmp.Or(l.File, 5<<20)
	l.Files = cmp.Or(l.Files, 20000)
	l.Commits = cmp.Or(l.Commits, 10000)
	l.RenderTime = cmp.Or(l.RenderTime, Duration(time.Minute))
	l.RenderSize = cmp.Or(l.RenderSize, 10<<20)
	l.Objects = cmp.Or(l.Objects, 5000)
	return l
}

// or returns what p points at, or def where it is nil.
func or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

// AutoSync tells whether new revisions are applied without being asked.
func (a App) AutoSync() bool { return or(a.Sync.Auto, true) }

// SelfHeal tells whether drift is repaired, and not only reported.
func (a App) SelfHeal() bool { return or(a.Sync.SelfHeal, true) }

// DriftGrace is how old drift has to be before it is repaired.
func (h Host) DriftGrace(a App) time.Duration { return or(a.Drift.Grace, h.Drift.Grace).D() }

// Prune tells whether what is ours and no longer wanted is removed.
func (a App) Prune() bool { return or(a.Sync.Prune, true) }

// AutoRollback tells whether a failed change is followed by the good revision.
func (a App) AutoRollback() bool { return or(a.Rollback.Auto, true) }

// KeepGood is how many good revisions keep their images.
func (a App) KeepGood() int { return or(a.Rollback.Keep, 2) }

// Soak is how long the whole app must stay healthy to be good.
func (a App) Soak() time.Duration { return or(a.Rollout.Soak, Duration(5*time.Second)).D() }

// ReadyTimeout is how long an instance may take from start to healthy.
func (a App) ReadyTimeout() time.Duration {
	return cmp.Or(a.Rollout.Timeout, Duration(time.Minute)).D()
}

// RestartUnhealthy tells whether an instance that turns unhealthy after its
// revision is good is restarted, and not only reported.
func (a App) RestartUnhealthy() bool { return a.Health.OnUnhealthy == "restart" }

// RestartBudget is how many such restarts per hour and service are allowed.
func (a App) RestartBudget() int { return or(a.Health.Budget, 3) }

// Policy returns what a rollback does after the job ran, and the service that it
// runs where that is resource.RunOnRollback.
func (j Job) Policy() (resource.OnRollback, string) {
	if service, ok := strings.CutPrefix(j.OnRollback, "run: "); ok {
		return resource.RunOnRollback, service
	}
	return resource.OnRollback(cmp.Or(j.OnRollback, string(resource.HaltOnRollback))), ""
}
