package reconcile

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

func ofKind(kind, name string) resource.Key {
	return resource.Key{Kind: kind, Namespace: "shop", Name: name}
}

// puts is a plan that puts these slots.
func puts(keys ...resource.Key) apply.Plan {
	var p apply.Plan
	for i, k := range keys {
		p.Steps = append(p.Steps, apply.Step{ID: i + 1, Verb: apply.Put, Key: k}, apply.Step{Verb: apply.Await, Key: ofKind("Deployment", "bystander")})
	}
	return p
}

// told prints news as "TYPE REASON KEY: TEXT".
func told(all []apply.News) string {
	var lines []string
	for _, n := range all {
		kind := "normal"
		if n.Warning {
			kind = "warning"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", kind, n.Reason, n.Key, n.Text))
	}
	return strings.Join(lines, "\n")
}

func TestNewsStandOnTheWorkloadsConcerned(t *testing.T) {
	web, db, settings := ofKind("Deployment", "web"), ofKind("StatefulSet", "db"), ofKind("ConfigMap", "settings")
	live := map[resource.Key]resource.Ref{web: {ID: "u1"}, db: {ID: "u2"}, settings: {ID: "u3"}, ofKind("Deployment", "bystander"): {ID: "u4"}}
	failed := []apply.Failure{{Step: apply.Step{Key: web}, Ref: resource.Ref{ID: "u1"}, Reason: "crash loop"}}
	differs := drift.Report{Findings: []drift.Finding{{Key: db, Class: drift.Modified}, {Key: ofKind("Job", "gone"), Class: drift.Missing}, {Key: web, Class: drift.InSync}}}
	for name, c := range map[string]struct {
		ended
		want string
	}{
		"a rollout":                 {ended{Result: Result{Outcome: Applied, Plan: puts(settings, web)}}, "normal Applied Deployment/shop/web: revision 1a2b is applied and healthy"},
		"one without workloads":     {ended{Result: Result{Outcome: Applied, Plan: puts(settings)}}, "normal Applied ConfigMap/shop/settings: revision 1a2b is applied and healthy"},
		"nothing to do":             {ended{Result: Result{Outcome: Unchanged}}, ""},
		"a repair":                  {ended{Result: Result{Outcome: Applied, Reason: "repaired drift: x", Plan: puts(web)}}, "normal DriftRepaired Deployment/shop/web: repaired drift: x"},
		"a repair while it is held": {ended{Result: Result{Outcome: Held, Reason: "it failed; meanwhile: repaired drift: x", Plan: puts(web)}}, "normal DriftRepaired Deployment/shop/web: repaired drift: x"},
		"it is still held":          {ended{Result: Result{Outcome: Held, Reason: "it failed"}, fresh: true}, ""},
		"a rollback": {
			ended{Result: Result{Outcome: RolledBack, Reason: "1a2b failed; 0000 is back", Plan: puts(web), Failures: failed}},
			"warning Failed Deployment/shop/web: revision 1a2b: crash loop\nwarning RolledBack Deployment/shop/web: 1a2b failed; 0000 is back",
		},
		"one that was asked for":     {ended{Result: Result{Outcome: RolledBack, Reason: "ann asked", Plan: puts(web)}, asked: true}, "normal RolledBack Deployment/shop/web: ann asked"},
		"drift that is left":         {ended{Result: Result{Outcome: Pending, Reason: "drift: x", Report: differs}, fresh: true}, "warning DriftFound StatefulSet/shop/db: drift: x"},
		"the same drift again":       {ended{Result: Result{Outcome: Pending, Reason: "drift: x", Report: differs}}, ""},
		"a revision that waits":      {ended{Result: Result{Outcome: Pending, Reason: "revision 1a2b waits", Report: differs}, fresh: true}, ""},
		"what turned unhealthy":      {ended{Result: Result{Outcome: Degraded, Reason: "db: sick"}, fresh: true, about: []resource.Key{db}}, "warning Degraded StatefulSet/shop/db: db: sick"},
		"a revision that is refused": {ended{Result: Result{Outcome: Rejected, Reason: "no such field"}, fresh: true, good: []resource.Object{{Key: settings}, {Key: web}}}, "warning Quarantined Deployment/shop/web: no such field"},
		"a refused first one":        {ended{Result: Result{Outcome: Rejected, Reason: "no such field"}, fresh: true}, ""},
		"a halt":                     {ended{Result: Result{Outcome: Halted, Reason: "x", Plan: puts(web, ofKind("Job", "never-made"))}, fresh: true}, "warning Halted Deployment/shop/web: x"},
	} {
		t.Run(name, func(t *testing.T) {
			c.live, c.Revision = live, source.Revision{Commit: "1a2b"}
			if got := told(c.news()); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestNewsAreBounded(t *testing.T) {
	e := ended{Result: Result{Outcome: Applied, Reason: strings.Repeat("long\n", 1000)}, live: map[resource.Key]resource.Ref{}}
	for i := range 50 {
		key := ofKind("Deployment", fmt.Sprint("web", i))
		e.Plan.Steps = append(e.Plan.Steps, puts(key).Steps...)
		e.live[key] = resource.Ref{ID: key.Name}
	}
	news := e.news()
	if len(news) != mostNews {
		t.Errorf("%d news, want %d", len(news), mostNews)
	}
	if text := news[0].Text; len(text) > newsText || strings.Contains(text, "\n") {
		t.Errorf("a text of %d bytes: %.40q", len(text), text)
	}
}

func TestLogsOfEachWorkloadAreNamed(t *testing.T) {
	for key, want := range map[resource.Key]string{
		ofKind("Deployment", "web"):                        "kubectl -n shop logs deploy/web",
		ofKind("StatefulSet", "db"):                        "kubectl -n shop logs sts/db",
		ofKind("Job", "migrate"):                           "kubectl -n shop logs job/migrate",
		ofKind("Certificate.cert-manager.io", "tls"):       "kubectl -n shop describe certificate.cert-manager.io/tls",
		{Kind: "CustomResourceDefinition", Name: "a.b.io"}: "kubectl describe customresourcedefinition/a.b.io",
	} {
		if got := kubectlLogs(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

func TestImagesOfEveryWorkloadAreTold(t *testing.T) {
	objects := []resource.Object{
		{Key: ofKind("Deployment", "web"), Spec: []byte(`{"spec":{"replicas":3,"template":{"spec":{"containers":[{"image":"web:1"},{"image":"proxy:2"}]}}}}`)},
		{Key: ofKind("CronJob", "tidy"), Spec: []byte(`{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"image":"tidy:1"}]}}}}}}`)},
		{Key: ofKind("Pod", "one"), Spec: []byte(`{"spec":{"containers":[{"image":"one:1"}]}}`)},
		{Key: ofKind("ConfigMap", "settings"), Spec: []byte(`{"data":{"a":"b"}}`)},
	}
	var lines []string
	for _, s := range workloadsOf(objects) {
		lines = append(lines, fmt.Sprintf("%s %d %s", s.Service, s.Replicas, s.Image))
	}
	want := "CronJob/shop/tidy 1 tidy:1\nDeployment/shop/web 3 web:1\nDeployment/shop/web 3 proxy:2\nPod/shop/one 1 one:1"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
