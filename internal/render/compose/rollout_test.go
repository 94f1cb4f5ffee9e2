package compose

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

func TestPolicyHasComposesTerms(t *testing.T) {
	def := resource.Policy{Parallelism: 1, FailureAction: resource.ActionRollback}
	back := resource.Policy{Parallelism: 1, FailureAction: resource.ActionPause}
	for name, c := range map[string]struct {
		lines          string
		policy, revert resource.Policy
	}{
		"nothing said":  {"", def, back},
		"empty deploy":  {"deploy: {update_config: {}, rollback_config: {}}", def, back},
		"all at once":   {"deploy: {update_config: {parallelism: 0}}", resource.Policy{FailureAction: resource.ActionRollback}, back},
		"all of update": {"deploy: {update_config: {parallelism: 3, delay: 5s, order: start-first, monitor: 1m, max_failure_ratio: 0.3, failure_action: continue}}", resource.Policy{Parallelism: 3, Delay: 5 * time.Second, Order: resource.StartFirst, Monitor: time.Minute, MaxFailureRatio: 0.3, FailureAction: resource.ActionContinue}, back},
		"rollback":      {"deploy: {rollback_config: {parallelism: 2, order: stop-first, failure_action: continue}}", def, resource.Policy{Parallelism: 2, Order: resource.StopFirst, FailureAction: resource.ActionContinue}},
	} {
		t.Run(name, func(t *testing.T) {
			o := object(t, mustRender(t, web(c.lines).request(t)), "container/web/1")
			if o.Policy != c.policy || o.Rollback != c.revert {
				t.Errorf("%+v and %+v, want %+v and %+v", o.Policy, o.Rollback, c.policy, c.revert)
			}
		})
	}
	mustFail(t, web("deploy: {rollback_config: {failure_action: rollback}}").request(t), fault.Rejected, "service web", "deploy.rollback_config.failure_action")
	mustFail(t, web("deploy: {update_config: {max_failure_ratio: 2}}").request(t), fault.Rejected, "service web", "deploy.update_config.max_failure_ratio")
	mustFail(t, web("deploy: {mode: replicated-job}").request(t), fault.Rejected, "app/compose.yaml:4", "service web", "deploy.mode", "x-syncd")
}

func TestReadyIsAtLeastWhatTheHealthcheckNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		lines   string
		timeout time.Duration
		want    time.Duration
	}{
		"no healthcheck":       {"", 0, 0},
		"no healthcheck, said": {"", 5 * time.Minute, 5 * time.Minute},
		"quick":                {"healthcheck: {test: a, interval: 1s, timeout: 1s, retries: 3}", 0, time.Minute},
		"quick, said":          {"healthcheck: {test: a, interval: 1s, timeout: 1s, retries: 3}", 10 * time.Second, 10 * time.Second},
		"slow":                 {"healthcheck: {test: a, interval: 30s, timeout: 10s, retries: 5, start_period: 2m}", 0, 6 * time.Minute},
		"slow, said":           {"healthcheck: {test: a, interval: 30s, timeout: 10s, retries: 5, start_period: 2m}", time.Minute, 6 * time.Minute},
		"defaults":             {"healthcheck: {test: a}", 0, 4 * time.Minute},
		"disabled":             {"healthcheck: {disable: true}", 0, 0},
		"job":                  {"healthcheck: {test: a}\nx-syncd: {job: true}", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			req := web(c.lines).request(t)
			req.App.Config.Rollout.Timeout = config.Duration(c.timeout)
			if got := object(t, mustRender(t, req), "container/web/1").Policy.Ready; got != c.want {
				t.Errorf("ready %s, want %s", got, c.want)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	const db = "services: {web: {image: a, volumes: ['data:/data']%}}\nvolumes: {data: {}}\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":      {service("web", "image: a"), nil},
		"port":         {service("web", "image: a\nports: ['8080:80', '127.0.0.1:53:53/udp', '[::1]:99:99']"), []string{"port 0.0.0.0:8080/tcp", "port 127.0.0.1:53/udp", "port [::1]:99/tcp"}},
		"ephemeral":    {service("web", "image: a\nports: ['80', '8000-8010:90']"), nil},
		"full range":   {service("web", "image: a\nscale: 3\nports: ['8000-8002:90']"), []string{"port 0.0.0.0:8000-8002/tcp for web/1"}},
		"range to go":  {service("web", "image: a\nscale: 3\nports: ['8000-8003:90']"), nil},
		"all at once":  {service("web", "image: a\ndeploy: {replicas: 2, update_config: {parallelism: 0}}\nports: ['8000-8002:90']"), []string{"port 0.0.0.0:8000-8002/tcp for web/1"}},
		"host network": {service("web", "image: a\nnetwork_mode: host\nports: ['80:80']"), []string{"port host network of web"}},
		"name":         {service("web", "image: a\ncontainer_name: fixed"), []string{"name fixed"}},
		"address":      {service("web", "image: a\nnetworks: {default: {ipv4_address: 10.0.0.5, ipv6_address: 'fd00::5'}}"), []string{"address default/10.0.0.5", "address default/fd00::5"}},
		"writer":       {strings.Replace(db, "%", "", 1), []string{"writer shop_data for web"}},
		"reader":       {strings.Replace(db, "data:/data", "data:/data:ro", 1), nil},
		"replicas":     {strings.Replace(db, "%", ", scale: 2", 1), nil},
		"start-first":  {strings.Replace(db, "%", ", deploy: {update_config: {order: start-first}}", 1), nil},
		"stop-first":   {strings.Replace(db, "%", ", deploy: {update_config: {order: stop-first}}", 1), []string{"writer shop_data for web"}},
		"bind":         {service("web", "image: a\nvolumes: ['/srv/a:/a', '/srv/b:/b:ro', './data:/data', /anonymous]\ntmpfs: [/tmp]"), []string{"writer /srv/a for web", "writer /srv/shop/data for web"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(c.text, "%", "", 1)
			req := one(text).request(t)
			req.HostDir = "/srv/shop"
			var got []string
			for _, claim := range object(t, mustRender(t, req), "container/web/1").Claims {
				got = append(got, claim.String())
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	a := mustRender(t, one(`services:
  web:
    image: a
    depends_on:
      db: {condition: service_healthy, restart: true}
      migrate: {condition: service_completed_successfully}
      maybe: {condition: service_started, required: false}
      off: {condition: service_started, required: false}
    network_mode: service:vpn
    pid: service:db
    volumes_from: [data:ro]
  linked: {image: a, links: ['db:database']}
  db: {image: a}
  migrate: {image: a, restart: always}
  maybe: {image: a}
  vpn: {image: a}
  data: {image: a}
  off: {image: a, profiles: [debug]}
`).request(t))
	o := object(t, a, "container/web/1")
	want := []resource.Need{
		{Group: "data", Condition: resource.Started, Required: true, OnReplace: resource.OnReplaceRecreate},
		{Group: "db", Condition: resource.Healthy, Required: true, OnReplace: resource.OnReplaceRecreate},
		{Group: "maybe", Condition: resource.Started},
		{Group: "migrate", Condition: resource.Completed, Required: true},
		{Group: "vpn", Condition: resource.Started, Required: true, OnReplace: resource.OnReplaceRecreate},
	}
	if !reflect.DeepEqual(o.Needs, want) {
		t.Errorf("needs %+v\nwant  %+v", o.Needs, want)
	}
	var refs []string
	for _, r := range o.Refs {
		refs = append(refs, r.String())
	}
	if got := strings.Join(refs, " "); got != "container/data/1 container/db/1 container/vpn/1" {
		t.Errorf("refs %s", got)
	}
	if got := object(t, a, "container/linked/1").Needs; len(got) != 1 || got[0].Group != "db" || got[0].OnReplace != resource.OnReplaceRestart {
		t.Errorf("links need %+v", got)
	}
	m := object(t, a, "container/migrate/1")
	if !m.Once || m.Job == nil || m.Job.OnRollback != resource.HaltOnRollback || m.Job.OnDemand || !strings.Contains(string(m.Spec), `"restart":{"name":"no"}`) {
		t.Errorf("what others need completed is a job: %+v %s", m, m.Spec)
	}
	if object(t, a, "container/db/1").Once || object(t, a, "container/db/1").Job != nil {
		t.Error("a database is no job")
	}
}

func TestNeedsThatCannotBeMet(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"0 replicas":         {"services: {web: {image: a, depends_on: [db]}, db: {image: b, scale: 0}}\n", []string{"app/compose.yaml:1", "service web", "depends_on", "db", "0 replicas"}},
		"network of nothing": {"services: {web: {image: a, network_mode: 'service:db'}}\n", []string{"db"}},
		"volumes of 0":       {"services: {web: {image: a, volumes_from: [db]}, db: {image: b, scale: 0}}\n", []string{"service web", "db", "0 replicas"}},
		"ports elsewhere":    {"services: {web: {image: a, network_mode: 'service:db', ports: ['80:80']}, db: {image: b}}\n", []string{"service web", "ports", "service:db"}},
	} {
		t.Run(name, func(t *testing.T) { mustFail(t, one(c.text).request(t), fault.Rejected, c.words...) })
	}
}

func TestJobs(t *testing.T) {
	req := one(`services:
  web: {image: a, depends_on: {migrate: {condition: service_completed_successfully}}}
  migrate: {image: a}
  backup: {image: a}
  restore: {image: a}
  seed: {image: a, x-syncd: {job: true}}
`).request(t)
	req.App.Config.Jobs = map[string]config.Job{
		"migrate": {OnRollback: "run: restore", Before: "backup"},
		"seed":    {OnRollback: "keep"},
	}
	a := mustRender(t, req)
	for key, want := range map[string]resource.Job{
		"container/migrate/1": {OnRollback: resource.RunOnRollback, Run: "restore", Before: "backup"},
		"container/seed/1":    {OnRollback: resource.KeepOnRollback},
		"container/backup/1":  {OnRollback: resource.HaltOnRollback, OnDemand: true},
		"container/restore/1": {OnRollback: resource.HaltOnRollback, OnDemand: true},
	} {
		if o := object(t, a, key); !o.Once || o.Job == nil || *o.Job != want {
			t.Errorf("%s: %+v, want %+v", key, o.Job, want)
		}
	}
}

func TestBadJobs(t *testing.T) {
	for name, c := range map[string]struct {
		jobs  map[string]config.Job
		words []string
	}{
		"no such service":  {map[string]config.Job{"nope": {}}, []string{"app/.syncd.yaml", "jobs.nope", "no service nope"}},
		"no job":           {map[string]config.Job{"web": {}}, []string{"jobs.web", "no one-shot", "x-syncd"}},
		"unknown before":   {map[string]config.Job{"migrate": {Before: "nope"}}, []string{"jobs.migrate.before", "nope"}},
		"unknown run":      {map[string]config.Job{"migrate": {OnRollback: "run: nope"}}, []string{"jobs.migrate.onRollback", "nope"}},
		"run nothing":      {map[string]config.Job{"migrate": {OnRollback: "run:"}}, []string{"jobs.migrate.onRollback"}},
		"unknown action":   {map[string]config.Job{"migrate": {OnRollback: "explode"}}, []string{"jobs.migrate.onRollback", "explode"}},
		"itself":           {map[string]config.Job{"migrate": {Before: "migrate"}}, []string{"jobs.migrate.before", "itself"}},
		"others need it":   {map[string]config.Job{"migrate": {Before: "db"}}, []string{"jobs.migrate.before", "web depends on it"}},
		"circle":           {map[string]config.Job{"migrate": {Before: "after"}}, []string{"app/.syncd.yaml", "circle", "after -> migrate -> after"}},
		"disabled profile": {map[string]config.Job{"migrate": {Before: "off"}}, []string{"jobs.migrate.before", "profile"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(`services:
  web: {image: a, depends_on: {db: {condition: service_started}, migrate: {condition: service_completed_successfully}}}
  db: {image: a}
  migrate: {image: a}
  after: {image: a, depends_on: {migrate: {condition: service_completed_successfully}}}
  off: {image: a, profiles: [x]}
`).request(t)
			req.App.Config.Jobs = c.jobs
			mustFail(t, req, fault.Rejected, c.words...)
		})
	}
}

func TestXSyncdIsStrict(t *testing.T) {
	for lines, words := range map[string][]string{
		"x-syncd: {jobs: true}":                                                         {"app/compose.yaml:4", "service web", "x-syncd.jobs", "did you mean job?"},
		"x-syncd: {job: 'yes'}":                                                         {"service web", "x-syncd.job"},
		"x-syncd: {gate: udp}":                                                          {"service web", "x-syncd.gate", "udp"},
		"x-syncd: {job: true, drain: 5s}":                                               {"service web", "x-syncd.drain", "one-shot"},
		"x-syncd: {drain: 2h}":                                                          {"service web", "x-syncd.drain", "1h"},
		"x-syncd: {gate: tcp, drain: -5s}":                                              {"service web", "x-syncd.drain"},
		"x-syncd: {gate: tcp}":                                                          {"service web", "x-syncd.gate", "port"},
		"x-syncd: [job]":                                                                {"service web", "x-syncd"},
		"ports: ['8080:80']\nx-syncd: {gate: tcp, sticky: true}":                        {"service web", "x-syncd.sticky", "gate: http"},
		"ports: ['8080:80']\nx-syncd: {gate: http, proxyProtocol: true}":                {"service web", "x-syncd.proxyProtocol", "gate: tcp"},
		"network_mode: host\nports: ['8080:80']\nx-syncd: {gate: tcp}":                  {"service web", "x-syncd.gate", "host"},
		"ports: ['8080:80']\nx-syncd: {gate: tcp, canary: {share: 10, for: 10m}}":       {"service web", "x-syncd.canary", "gate: http"},
		"ports: ['8080:80']\nx-syncd: {gate: http, canary: {share: 100, for: 10m}}":     {"service web", "x-syncd.canary", "share 100", "99"},
		"ports: ['8080:80']\nx-syncd: {gate: http, canary: {share: 10}}":                {"service web", "x-syncd.canary", "for", "10m"},
		"ports: ['8080:80']\nx-syncd: {gate: http, canary: {share: 10, for: 1m, x: 1}}": {"service web", "x-syncd.canary", "unknown key x"},
		"ports: ['8080:80']\nx-syncd: {gate: http, canary: 10}":                         {"service web", "x-syncd.canary", "mapping"},
		"ports: ['8080:80']\nx-syncd: {gate: http, canary: {share: 10, for: 10m}}\ndeploy: {update_config: {order: stop-first}}": {"service web", "x-syncd.canary", "stop-first"},
	} {
		mustFail(t, web(lines).request(t), fault.Rejected, words...)
	}
}

func TestACanaryIsTheRolloutsPolicy(t *testing.T) {
	a := mustRender(t, web("ports: ['8080:80']\nx-syncd: {gate: http, canary: {share: 10, for: 10m}}").request(t))
	o := object(t, a, "container/web/1")
	if o.Policy.Canary == nil || *o.Policy.Canary != (resource.Canary{Share: 10, For: 10 * time.Minute}) || o.Rollback.Canary != nil {
		t.Errorf("%+v and back %+v", o.Policy, o.Rollback)
	}
}

// Without a gate the pause is the container's; with one, the gate drains.
func TestDrainIsTheGatesOrAPause(t *testing.T) {
	for lines, want := range map[string]time.Duration{
		"x-syncd: {drain: 5s}":                                   5 * time.Second,
		"x-syncd: {gate: none, drain: 5s}":                       5 * time.Second,
		"ports: ['8080:80']\nx-syncd: {gate: tcp, drain: 5s}":    0,
		"ports: ['8080:80']\nx-syncd: {gate: none, drain: 1m5s}": 65 * time.Second,
	} {
		if got := container(t, mustRender(t, web(lines).request(t))).Drain; got != want {
			t.Errorf("%s: %s, want %s", lines, got, want)
		}
	}
}

func TestAGateIsARoute(t *testing.T) {
	a := mustRender(t, web("ports: ['8080:80', '127.0.0.1:81:81', '53:53/udp', '99']\nx-syncd: {gate: http, drain: 30s}").request(t))
	o := object(t, a, "route/web/8080")
	if got := string(o.Spec); o.Group != "web" || got != `{"drain":30000000000,"mode":"http","port":{"protocol":"tcp","published":"8080","target":80},"service":"web"}` {
		t.Errorf("%+v %s", o, got)
	}
	object(t, a, "route/web/127.0.0.1:81")
	if len(a.Notes) != 2 || !strings.Contains(a.Notes[0], "port 53/udp bypasses") || !strings.Contains(a.Notes[1], "port 99/tcp bypasses") {
		t.Errorf("notes %q", a.Notes)
	}
	if got := string(object(t, a, "container/web/1").Spec); strings.Contains(got, "8080") || !strings.Contains(got, `"target":53`) {
		t.Errorf("the container publishes %s", got)
	}
}

func TestReplicasAreSlots(t *testing.T) {
	a := mustRender(t, web("deploy: {replicas: 3}").request(t))
	for key, name := range map[string]string{"container/web/1": "shop-web-1", "container/web/3": "shop-web-3"} {
		o := object(t, a, key)
		if o.Group != "web" || !strings.Contains(string(o.Spec), `"name":"`+name+`"`) {
			t.Errorf("%s: %s", key, o.Spec)
		}
	}
	a = mustRender(t, one("services: {web: {image: a, scale: 0, volumes: ['vol:/v']}}\nvolumes: {vol: {}}\n").request(t))
	if len(a.Objects) != 2 {
		t.Errorf("a service without replicas keeps its volume and its network: %d objects", len(a.Objects))
	}
}

func TestProfiles(t *testing.T) {
	req := one("services: {web: {image: a}, debug: {image: b, profiles: [debug]}}\n").request(t)
	if a := mustRender(t, req); len(a.Objects) != 2 {
		t.Errorf("%d objects without the profile", len(a.Objects))
	}
	req.App.Config.Profiles = []string{"debug", "debgu"}
	a := mustRender(t, req)
	object(t, a, "container/debug/1")
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "app/.syncd.yaml: profiles: no service has the profile debgu") {
		t.Errorf("notes %q", a.Notes)
	}
}
