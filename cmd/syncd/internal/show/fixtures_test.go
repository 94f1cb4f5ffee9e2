package show_test

import (
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// hostile is what a commit's author may write to fool a reader.
const hostile = "x\x1b[31mred\x1b[0m\u202etxt.exe\nsecond `line` | <b>@all</b> ```"

var (
	first  = source.Revision{Commit: strings.Repeat("1a2b3c4d", 5), Ref: "main", Author: "Ann", Subject: "Open the shop", Time: now.Add(-time.Hour)}
	second = source.Revision{Commit: strings.Repeat("9f8e7d6c", 5), Ref: "main", Author: "Bob", Subject: hostile, Time: now}
)

func web(n string) resource.Key {
	return resource.Key{Kind: "container", Namespace: "web", Name: n}
}

func status() reconcile.Status {
	return reconcile.Status{
		Host: "berlin-1", Agent: true, Revision: second,
		SourceError: "ask main of https://git.example.org: no answer\nsecond line", SourceHint: "check the network",
		Recovered: "the record of app blog was damaged and set aside",
		Apps: []reconcile.AppStatus{
			{
				Name: "shop", Owner: "shop team", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Since: now.Add(-90 * time.Minute),
				Services: []reconcile.ServiceStatus{
					{Service: "web", Replicas: 2, Image: "shop:2", Digest: "sha256:0123456789abcdef0123", Version: "v2.0", Created: "2026-11-20T10:00:00Z", Source: strings.Repeat("c", 40)},
					{Service: "db", Replicas: 1, Image: "db:1"},
				},
			},
			{Name: "blog", Owner: "web team", Status: reconcile.WRolledBack, Health: reconcile.Healthy, Good: first, Wanted: second, Since: now.Add(-5 * time.Second), Reason: hostile, Hint: "syncd logs blog --attempt 9f8e7d6c9f"},
			{Name: "cart", Status: reconcile.OutOfSync, Health: reconcile.Unhealthy, Good: first, Wanted: first, Since: now.Add(-72 * time.Hour), Drift: []string{"container/web/1 modified: restart: no -> always"}},
			{Name: "mail", Status: reconcile.WBlocked, Health: reconcile.Unknown, Wanted: second, Consents: []string{"remove volume/data with its content"}, Plan: "0123456789ab", Reason: "it waits for consent"},
			{Name: "wiki", Status: reconcile.WPaused, Health: reconcile.Healthy, Good: first, Reason: "paused by ann", Hint: "syncd resume wiki", Paused: &state.Pause{Who: "ann", Reason: hostile, At: now.Add(-time.Hour), Until: now.Add(time.Hour)}},
			{Name: "auth", Status: reconcile.WHeld, Health: reconcile.Healthy, Good: first, Wanted: second, Held: &state.Hold{Who: "ann", At: now, Commit: first.Commit}},
			{Name: "jobs", Status: reconcile.WHalted, Health: reconcile.Unhealthy, Reason: "the migration failed"},
		},
	}
}

func preview() reconcile.Preview {
	changes := []drift.Change{{Path: "image", Live: "shop:1", Want: "shop:2"}, {Path: "environment.X", Want: hostile}}
	return reconcile.Preview{
		App: "shop", Revision: second, Digest: "0123456789ab",
		Services: []reconcile.ServicePlan{
			{Service: apply.Service{Group: "web", How: apply.HowStartFirst, Why: "image: shop:1 -> shop:2", Slots: 2, Of: 2, Changes: changes}, Pause: resource.Duration(5 * time.Second), Memory: 128 << 20, Free: 3 << 30},
			{Service: apply.Service{Group: "big", How: apply.HowStartFirst, Slots: 1, Of: 1}, Memory: 4 << 30, Free: 3 << 30},
			{Service: apply.Service{Group: "db", How: apply.HowStopFirst, Why: "writer volume data", Slots: 1, Of: 1}, Gap: resource.Duration(1300 * time.Millisecond)},
			{Service: apply.Service{Group: "migrate", How: apply.RunOnce, Why: "its input changed", Slots: 1, Of: 1}},
			{Service: apply.Service{Group: "cache", How: apply.Unchanged, Of: 1}},
		},
		Report: drift.Report{Findings: []drift.Finding{
			{Key: web("1"), Class: drift.Modified, Changes: changes},
			{Key: resource.Key{Kind: "network", Name: "back"}, Class: drift.Modified, Changes: []drift.Change{{Path: "internal", Live: "false", Want: "true"}}},
		}},
		Plan: apply.Plan{
			Steps: []apply.Step{
				{ID: 1, Verb: apply.Put, Key: web("1"), Cause: "image: shop:1 -> shop:2"},
				{ID: 2, Verb: apply.Await, Key: web("1"), Until: resource.Healthy, After: []int{1}},
			},
			Consents: []string{"remove volume/old with its content | `rm`"},
		},
		Jobs: []string{"migrate"}, Missing: []string{"shop:2"}, Notes: []string{"compose.yaml: services.web.build is ignored"},
		WayBack: reconcile.WayBack{Good: first, Missing: []string{"shop:1"}},
	}
}

func previews() []reconcile.Preview {
	blocked := preview()
	blocked.App, blocked.Plan, blocked.Report, blocked.Services = "cart", apply.Plan{Blocked: []string{"port 0.0.0.0:80/tcp is held by app shop"}}, drift.Report{}, nil
	blocked.Jobs, blocked.Missing, blocked.Notes, blocked.WayBack = nil, nil, nil, reconcile.WayBack{}
	return []reconcile.Preview{
		preview(),
		blocked,
		{App: "blog", Revision: first},
		{App: "wiki", Revision: source.Revision{Ref: "/home/ann/deploy"}, Outcome: reconcile.Rejected, Error: hostile, Hint: "mend `compose.yaml`"},
	}
}

// handed are services whose ports change hands, or could.
func handed() []reconcile.Preview {
	short := resource.Duration(300 * time.Millisecond)
	stop := func(group, remedy string) reconcile.ServicePlan {
		return reconcile.ServicePlan{Service: apply.Service{Group: group, How: apply.HowStopFirst, Why: "port 0.0.0.0:80/tcp", Slots: 1, Of: 1}, Gap: short, Remedy: remedy}
	}
	return []reconcile.Preview{{
		App: "shop", Revision: first, Digest: "0123456789ab", WayBack: reconcile.WayBack{Good: first},
		Services: []reconcile.ServicePlan{
			stop("web", "x-syncd: {gate: tcp} would close it"),
			stop("dns", "no gate can close it: port 53/udp is not TCP"),
			{
				Service: apply.Service{Group: "taken", How: apply.HowStartFirst, Why: "ports.0: 8080:80 -> (none)", Slots: 1, Of: 1}, Gap: resource.Duration(1200 * time.Millisecond),
				Where: "on port 8080, while a gate takes it over", Gates: []string{"port 8080 goes through a gate: the application sees the gate's address"},
			},
			{Service: apply.Service{Group: "given", How: apply.HowStartFirst, Slots: 1, Of: 1}, Gap: short, Where: "on port 81, while its gate gives it back, besides up to 10s in which what is in flight at the gate may end"},
			{Service: apply.Service{Group: "mode", How: apply.Unchanged, Of: 1}, Gates: []string{hostile}},
			{Service: apply.Service{Group: "cache", How: apply.Unchanged, Of: 1}},
		},
		Plan: apply.Plan{Steps: []apply.Step{{ID: 1, Verb: apply.Put, Key: web("1"), Cause: "image"}}},
	}}
}

func history() []state.Entry {
	return []state.Entry{
		{At: now, Kind: "sync", Outcome: "rolled back", Revision: second, Duration: resource.Duration(3300 * time.Millisecond), Reason: hostile},
		{At: now.Add(-time.Hour), Kind: "pause", Who: "ann", Outcome: "pause", Revision: first, Reason: "restoring a backup"},
		{At: now.Add(-2 * time.Hour), Kind: "sync", Outcome: "applied", Revision: first, Duration: resource.Duration(125 * time.Second), Gaps: []string{"web 1.30 s without an instance"}},
	}
}

// words are what people said, with a reason and without.
func words() []state.Entry {
	return []state.Entry{
		{At: now, Kind: "rollback", Who: "ann", Outcome: "rollback", Revision: second, Reason: "from 9f8e7d6c9f to 1a2b3c4d1a"},
		{At: now.Add(-time.Hour), Kind: "retry", Who: "ann", Outcome: "retry", Revision: second},
		{At: now.Add(-2 * time.Hour), Kind: "sync", Outcome: "applied", Revision: first, Duration: resource.Duration(time.Second)},
		{At: now.Add(-3 * time.Hour), Kind: "sync", Outcome: "applied", Revision: first, Duration: resource.Duration(time.Second)},
	}
}

// away is the status of a host whose engine does not answer.
func away() reconcile.Status {
	gone := "reach the Docker engine: no answer"
	return reconcile.Status{
		Host: "berlin-1", Agent: true, Revision: first,
		EngineError: gone, EngineHint: "systemctl status docker", EngineSince: now.Add(-time.Hour),
		Apps: []reconcile.AppStatus{
			{Name: "shop", Status: reconcile.Unknown, Health: reconcile.Unknown, Good: first, Wanted: first, Outcome: reconcile.Unreachable, Reason: "observe app shop: " + gone},
			{Name: "blog", Status: reconcile.WHeld, Health: reconcile.Unknown, Good: first, Wanted: second, Outcome: reconcile.Held, Reason: "revision 9f8e7d6c9f failed"},
		},
	}
}

// shadow is the status of an agent that reports and never acts.
func shadow() reconcile.Status {
	return reconcile.Status{Host: "berlin-1", Agent: true, ReadOnly: true, Revision: first, Apps: []reconcile.AppStatus{
		{Name: "shop", Status: reconcile.OutOfSync, Health: reconcile.Unknown, Wanted: first, Outcome: reconcile.Pending, Reason: "revision 1a2b3c4d1a would change container/web/1: read-only", Hint: "syncd plan shop shows it in full"},
		{Name: "blog", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Notes: []string{"container/other/1 is left alone: made by somebody"}},
	}}
}

// asking are passes that wait for consent: once with nothing else to say, once
// beside what went wrong.
func asking() []reconcile.Result {
	one, two := "remove volume/old with its data", "remove volume/older with its data"
	return []reconcile.Result{
		{
			App: "shop", Outcome: reconcile.Blocked, Revision: first, Ask: "0123456789ab", Plan: apply.Plan{Consents: []string{one, two}, Notes: []string{"container/other/1 is left alone: made by somebody"}},
			Reason: "applied and healthy; consent is missing: " + one + ", " + two, Hint: "syncd approve shop --plan 0123456789ab",
		},
		{App: "blog", Outcome: reconcile.Degraded, Revision: first, Ask: "ba9876543210", Plan: apply.Plan{Consents: []string{one}}, Reason: "container/web/1: exit 1"},
	}
}

func results() []reconcile.Result {
	return []reconcile.Result{
		{App: "shop", Outcome: reconcile.Applied, Revision: first, Duration: resource.Duration(12 * time.Second)},
		{
			App: "blog", Outcome: reconcile.RolledBack, Revision: second, Duration: resource.Duration(3300 * time.Millisecond), Reason: "container/web/1: exit 1", Hint: "syncd logs blog --attempt 9f8e7d6c9f",
			Failures: []apply.Failure{{Step: apply.Step{Key: web("1")}, Reason: "exit 1", Lines: []string{"first", "\tindented\x1b[2J", "last"}}},
			Notes:    []string{"an older secret is back"},
			Gaps: []apply.Gap{
				{Key: web("1"), Group: "web", Took: resource.Duration(700 * time.Millisecond)}, {Key: web("2"), Group: "web", Took: resource.Duration(1300 * time.Millisecond)},
				{Key: route("80"), Group: "web", Took: resource.Duration(410 * time.Millisecond)}, {Key: web("1"), Group: "db", Held: true, Took: resource.Duration(2 * time.Second)},
			},
		},
	}
}

func logs() []state.FailedLog {
	return []state.FailedLog{
		{App: "shop", Revision: second, Slot: web("2"), At: now, Reason: "exit 1", Lines: []string{"goroutine 1:", "\tmain.go:7", "\x1b]0;title\x07"}},
		{App: "shop", Revision: first, Slot: web("1"), At: now, Reason: "unhealthy"},
	}
}
