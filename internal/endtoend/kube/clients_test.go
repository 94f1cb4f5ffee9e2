package kube_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/server"
	"syncd.io/syncd/internal/state"
)

// client is a kind of drift: what a real client sends, and how it is to be reported.
type client struct {
	name string
	do   func(p *place, app string)
	// object, class and line are those of the finding, line beginning with the field; by
	// is the client's name where the API server has it on record.
	object, class, path, want, live, by string
}

// clientApp is an app that has something for each kind of client to change. APP is its
// name.
const clientApp = `
apiVersion: v1
kind: ConfigMap
metadata: {name: APP, labels: {team: shop, tier: front}, annotations: {note: ours}}
data: {edited: good, removed: good, applied: good, taken: good, patched: good, replaced: good}
---
apiVersion: v1
kind: Secret
metadata: {name: APP}
stringData: {password: correct-horse}
---
apiVersion: v1
kind: Service
metadata: {name: APP}
spec: {selector: {app: APP}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: APP}
spec:
  replicas: 0
  selector: {matchLabels: {app: APP}}
  template:
    metadata: {labels: {app: APP}}
    spec: {containers: [{name: app, image: "syncd-test/app:1"}]}`

// clients are the kinds.
func clients() []client {
	data := func(key string) object { return object{"data": object{key: "bad"}} }
	settings := func(p *place, manager, content string, body object, app string) {
		p.by(manager, http.MethodPatch, content, p.path("configmaps", app), body)
	}
	applied := func(app, key string) object {
		body := data(key)
		body["apiVersion"], body["kind"], body["metadata"] = "v1", "ConfigMap", object{"name": app}
		return body
	}
	return []client{
		{"edit", func(p *place, app string) { p.edit("configmaps", app, data("edited")) }, "ConfigMap", "modified", "data.edited", "good", "bad", "kubectl-edit"},
		{"edit that removes", func(p *place, app string) { p.edit("configmaps", app, object{"data": object{"removed": nil}}) }, "ConfigMap", "modified", "data.removed", "good", "", ""},
		{"patch", func(p *place, app string) { settings(p, "kubectl-patch", strategicPatch, data("patched"), app) }, "ConfigMap", "modified", "data.patched", "good", "bad", "kubectl-patch"},
		{"label", func(p *place, app string) {
			settings(p, "kubectl-label", mergePatch, object{"metadata": object{"labels": object{"team": "bad"}}}, app)
		}, "ConfigMap", "modified", "metadata.labels.team", "shop", "bad", "kubectl-label"},
		{"label that removes", func(p *place, app string) {
			settings(p, "kubectl-label", mergePatch, object{"metadata": object{"labels": object{"tier": nil}}}, app)
		}, "ConfigMap", "modified", "metadata.labels.tier", "front", "", ""},
		{"annotate", func(p *place, app string) {
			settings(p, "kubectl-annotate", mergePatch, object{"metadata": object{"annotations": object{"note": "bad"}}}, app)
		}, "ConfigMap", "modified", "metadata.annotations.note", "ours", "bad", "kubectl-annotate"},
		{"apply", func(p *place, app string) {
			settings(p, "kubectl-client-side-apply", strategicPatch, data("applied"), app)
		}, "ConfigMap", "modified", "data.applied", "good", "bad", "kubectl-client-side-apply"},
		{"another field manager", func(p *place, app string) { settings(p, "team-tool", applyPatch, applied(app, "taken"), app) }, "ConfigMap", "modified", "data.taken", "good", "bad", "team-tool"},
		{"replace", func(p *place, app string) {
			whole := p.live("configmaps", app)
			whole["data"].(object)["replaced"] = "bad"
			delete(whole["metadata"].(object), "resourceVersion")
			p.by("kubectl-replace", http.MethodPut, "application/json", p.path("configmaps", app), whole)
		}, "ConfigMap", "modified", "data.replaced", "good", "bad", "kubectl-replace"},
		{"edit of a Secret", func(p *place, app string) {
			p.edit("secrets", app, object{"stringData": object{"password": "wrong-horse"}})
		}, "Secret", "modified", "data.password", resource.Mask, resource.Mask, "kubectl-edit"},
		{"edit of a list", func(p *place, app string) {
			p.by("kubectl-edit", http.MethodPatch, strategicPatch, p.path("services", app), object{"spec": object{"ports": []any{object{"port": 80, "targetPort": 9090}}}})
		}, "Service", "modified", "spec.ports[http].targetPort", "8080", "9090", "kubectl-edit"},
		{"scale", func(p *place, app string) {
			p.by("kubectl", http.MethodPatch, mergePatch, p.path("deployments", app)+"/scale", object{"spec": object{"replicas": 1}})
		}, "Deployment", "modified", "spec.replicas", "0", "1", "kubectl"},
		{"set image", func(p *place, app string) {
			p.by("kubectl-set", http.MethodPatch, strategicPatch, p.path("deployments", app), object{"spec": object{"template": object{"spec": object{"containers": []any{object{"name": "app", "image": "syncd-test/app:2"}}}}}})
		}, "Deployment", "modified", "spec.template.spec.containers[app].image", "syncd-test/app:1", "syncd-test/app:2", "kubectl-set"},
		{"delete", func(p *place, app string) { p.do(http.MethodDelete, p.path("configmaps", app), nil) }, "ConfigMap", "missing", "", "", "", ""},
		{"delete of a workload", func(p *place, app string) { p.do(http.MethodDelete, p.path("deployments", app), nil) }, "Deployment", "missing", "", "", "", ""},
	}
}

// kept is the app that is not repaired by itself.
const kept = "kept"

// Each kind of drift that a client makes is reported with its object, its field, both
// values, who did it, since when, and against which revision; repaired, or not, as the
// app says; and its end is told. People hear of each once.
func TestEachClientsDriftIsReportedInFull(t *testing.T) {
	p, hears := newPlace(t), &hearer{}
	c := newCrew(p, hears.listen(t), "disk", 1)
	commit := ""
	for app, heal := range map[string]string{shop: "{}", kept: "{selfHeal: false}"} {
		p.settingsOf(app, "rollout: {soak: 0s, timeout: 60s}\nsync: "+heal+"\n")
		commit = p.deployApp(app, strings.ReplaceAll(clientApp, "APP", app))
	}
	c.sit(0)
	for _, app := range []string{shop, kept} {
		p.eventually(app+" is applied", func() bool {
			lines, err := c.history(app)
			return err == nil && slices.ContainsFunc(lines, func(e state.Entry) bool { return e.Outcome == "applied" })
		})
	}
	for i, kind := range clients() {
		begun := time.Now()
		kind.do(p, kept)
		kind.do(p, shop)
		c.reported(kind, i+1, commit, begun)
		p.eventually(kind.name+" is repaired where it may be", func() bool { return len(c.incident(shop, i+1)) >= 2 })
		if lines := c.incident(kept, i+1); len(lines) != 1 {
			t.Errorf("%s: nobody asked for it, and it is told as %+v", kind.name, lines)
		}
		_, err := c.ask().Sync(t.Context(), reconcile.SyncRequest{Apps: []string{kept}, Who: "ada"}, nil)
		p.must(err)
		p.eventually(kind.name+" is over", func() bool { return len(c.incident(kept, i+1)) >= 2 })
		for _, app := range []string{shop, kept} {
			lines := c.incident(app, i+1)
			if len(lines) != 2 || lines[0].Outcome != "opened" || lines[1].Outcome != "resolved" || len(lines[0].Findings) != 1 || lines[0].Findings[0] != kind.line(p, app) {
				t.Errorf("%s of %s is on record as %+v, want %q", kind.name, app, lines, kind.line(p, app))
			}
		}
	}
	hears.each(p, len(clients()), shop, kept)
}

// line is what is told of it.
func (k client) line(p *place, app string) string {
	or := func(value string) string {
		if value == "" {
			return "(none)"
		}
		return value
	}
	line := fmt.Sprintf("%s/%s/%s ", k.object, p.namespace, app)
	if k.class == "modified" {
		line += fmt.Sprintf("%s: %s -> %s", k.path, or(k.live), or(k.want))
	} else {
		line += k.class
	}
	if k.by != "" {
		line += " (by " + k.by + ")"
	}
	return line
}

// ask is the way to the agent.
func (c *crew) ask() server.Client {
	return server.Client{Socket: filepath.Join(c.seats[0].dir, "s.sock")}
}

// incident are the lines of one incident of an app.
func (c *crew) incident(app string, number int) []state.Entry {
	c.t.Helper()
	var all []state.Entry
	c.eventually("an agent answers", func() bool {
		var err error
		all, err = c.history(app)
		return err == nil
	})
	return of(all, app, number)
}

// reported waits for the report of a kind of drift that stays, and holds it against
// what was done.
func (c *crew) reported(kind client, number int, commit string, begun time.Time) {
	c.t.Helper()
	var is *reconcile.IncidentStatus
	c.eventually(kind.name+" is reported", func() bool {
		status, err := c.ask().Status(c.t.Context(), []string{kept})
		if err != nil || len(status.Apps) != 1 { // it has no time at the moment
			return false
		}
		is = status.Apps[0].Incident
		return is != nil && is.ID == state.IncidentID(kept, number)
	})
	if is.Revision.Commit != commit || is.Opened.Before(begun) || is.Opened.After(time.Now()) || len(is.Findings) != 1 {
		c.t.Fatalf("%s is reported as %+v, against %s since %s", kind.name, is, commit, begun)
	}
	f := is.Findings[0]
	if f.Key.Kind != kind.object || f.Key.Name != kept || f.Class != kind.class || f.By != kind.by || f.First.Before(begun) {
		c.t.Errorf("%s is reported as %+v", kind.name, f)
	}
	if kind.class == "missing" {
		if len(f.Fields) > 0 {
			c.t.Errorf("%s has fields: %+v", kind.name, f.Fields)
		}
		return
	}
	if len(f.Fields) != 1 || f.Fields[0].Path != kind.path || f.Fields[0].Want != kind.want || f.Fields[0].Live != kind.live || f.Fields[0].First.Before(begun) {
		c.t.Errorf("%s is reported with the fields %+v", kind.name, f.Fields)
	}
}

// each waits until the end of each of so many incidents was heard, and fails the test
// where anything was heard twice.
func (h *hearer) each(p *place, incidents int, apps ...string) {
	p.t.Helper()
	var times map[string]int
	p.eventually("the end of all is heard", func() bool {
		times = h.times()
		for _, app := range apps {
			for i := range incidents {
				if times[state.IncidentID(app, i+1)+" drift-resolved"] == 0 {
					return false
				}
			}
		}
		return true
	})
	for what, n := range times {
		if n > 1 {
			p.t.Errorf("people hear %d times: %s", n, what)
		}
	}
	for i := range incidents {
		if id := state.IncidentID(kept, i+1); times[id+" drift-opened"] != 1 {
			p.t.Errorf("nobody hears that %s has begun", id)
		}
	}
}
