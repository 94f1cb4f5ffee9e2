package kube_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// settingsMap is an object without health of its own.
const settingsMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}`

// web is a workload with a readiness probe. ENV is its environment.
const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: syncd-test/app:1
        env: [{name: SAY, value: hello}]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}`

// webService is in front of it.
const webService = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]`

// version is the workload at another version.
func version(manifest, v string) string { return strings.ReplaceAll(manifest, "app:1", "app:"+v) }

// with is version 2 of web, with a variable more.
func with(name, value string) string {
	return strings.Replace(version(web, "2"), "[{name: SAY", "[{name: "+name+`, value: "`+value+`"}, {name: SAY`, 1)
}

// failing is a change that fails: the settings that it takes, what the reason has to
// say, and what the kept log does.
type failing struct {
	change, settings string
	words            []string
	log              string
}

// broken are changes that fail, each in a way of its own.
func broken() map[string]failing {
	return map[string]failing{
		"bad image":   {change: version(web, "none"), words: []string{"Deployment/SPACE/web", "syncd-test/app:none"}},
		"never ready": {change: with("NEVER_READY", "1"), settings: "rollout: {soak: 200ms, timeout: 6s}\n", words: []string{"Deployment/SPACE/web", "6s"}},
		"crash loop": {change: strings.Replace(with("CRASH", "3"), "value: hello", "value: no database", 1),
			words: []string{"Deployment/SPACE/web", "container app", "exit 3", "last output: testapp 2 "}, log: "no database"},
		"config missing": {change: strings.Replace(version(web, "2"), "env:", "envFrom: [{configMapRef: {name: nowhere}}]\n        env:", 1),
			words: []string{"Deployment/SPACE/web", "nowhere"}},
		"failing job": {change: version(web, "2") + "\n---\n" + failingJob, words: []string{"Job/SPACE/migrate", "exit 7"}, log: "ends with 7"},
	}
}

const failingJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "syncd-test/app:1", args: [job, "0", "7"]}]`

// extra is what the failed attempt makes beside the change.
const extra = `
apiVersion: v1
kind: ConfigMap
metadata: {name: extra}
data: {only: the failed attempt}`

func TestABrokenChangeGoesBackByItselfAndStaysOut(t *testing.T) {
	for name, c := range broken() {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			good := p.deployed(settingsMap, web, webService)
			p.make("configmaps", object{"metadata": object{"name": "others"}, "data": object{"a": "b"}})
			others := p.live("configmaps", "others")
			before := p.live("deployments", "web")

			p.settings(c.settings)
			bad := p.deploy(strings.Replace(settingsMap, "blue", "red", 1), c.change, webService, extra)
			begun := time.Now()
			res := p.wantOutcome(p.sync(), reconcile.RolledBack, good[:10], bad[:10])
			t.Logf("gone back %s after the merge: %s", time.Since(begun).Round(100*time.Millisecond), res.Reason)
			for _, word := range c.words {
				if word = strings.ReplaceAll(word, "SPACE", p.namespace); !strings.Contains(res.Reason, word) {
					t.Errorf("the reason lacks %q: %s", word, res.Reason)
				}
			}
			p.goodAgain(before)
			p.logged(bad, c.log)
			if p.live("jobs", "migrate") != nil {
				t.Error("the failed attempt's job is left")
			}
			if now := p.live("configmaps", "others"); field(now, "metadata", "resourceVersion") != field(others, "metadata", "resourceVersion") {
				t.Error("somebody else's object was touched")
			}

			mark := p.mark()
			p.wantOutcome(p.sync(), reconcile.Held, bad[:10])
			p.place("docs/README.md", "of no app")
			p.merge("write docs")
			p.wantOutcome(p.sync(), reconcile.Held, bad[:10])
			p.untouchedSince(mark)

			p.settings("") // with time enough again
			p.deployed(settingsMap, version(web, "3"), webService)
			p.settled()
		})
	}
}

// logged fails the test unless what the failed instances said last is kept.
func (p *place) logged(revision, want string) {
	p.t.Helper()
	a, done := p.agent()
	defer done()
	logs, err := a.Logs(p.t.Context(), shop, revision)
	p.must(err)
	var lines []string
	for _, l := range logs {
		lines = append(lines, l.Lines...)
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, want) {
		p.t.Errorf("the kept log lacks %q:\n%s", want, text)
	}
}

// goodAgain fails the test unless the good set is what is there: its fields, and
// nothing of the failed attempt's.
func (p *place) goodAgain(before map[string]any) {
	p.t.Helper()
	after := p.live("deployments", "web")
	if uid(after) != uid(before) || image(after) != image(before) {
		p.t.Errorf("%v with UID %v runs, want %v with UID %v", image(after), uid(after), image(before), uid(before))
	}
	if got := field(p.live("configmaps", "settings"), "data", "colour"); got != "blue" {
		p.t.Errorf("the configuration says %v, want blue", got)
	}
	if p.live("configmaps", "extra") != nil {
		p.t.Error("what only the failed attempt wanted is left")
	}
}

// untouchedSince fails the test where a step other than looking was taken.
func (p *place) untouchedSince(mark int) {
	p.t.Helper()
	for _, e := range p.since(mark) {
		if e.Step != nil && e.Step.Phase == apply.Done && e.Step.Step.Verb != apply.Await {
			p.t.Errorf("it did something: %s", e.Step.Step)
		}
	}
}

func TestAFailedFirstDeployHaltsAndIsMendedByAMerge(t *testing.T) {
	p := newPlace(t)
	p.deploy(settingsMap, version(web, "none"))
	p.wantOutcome(p.sync(), reconcile.Halted, "syncd-test/app:none")
	if p.live("deployments", "web") == nil {
		t.Error("what failed did not stay to be looked at")
	}
	mark := p.mark()
	p.wantOutcome(p.sync(), reconcile.Halted, "syncd-test/app:none")
	p.untouchedSince(mark)
	p.deployed(settingsMap, web)
	p.settled()
}

// The declared availability holds throughout a change: the API server says so at
// every moment, and so do the pods that it counts.
func TestARollingChangeIsNeverBelowWhatIsDeclared(t *testing.T) {
	p := newPlace(t)
	slow := strings.Replace(web, "[{name: SAY", `[{name: READY_AFTER, value: 1s}, {name: DRAIN, value: 500ms}, {name: SAY`, 1)
	commit := p.deploy(settingsMap, slow, webService)
	if res := p.wantOutcome(p.sync(), reconcile.Applied); res.Revision.Commit != commit {
		t.Errorf("applied %s, want %s", res.Revision.Commit, commit)
	}
	p.settled()
	seen := p.watchAvailability(t, 2)
	p.deployed(settingsMap, version(slow, "2"), webService)
	looks, answers, versions := seen()
	if looks < 5 || answers < 5 {
		t.Fatalf("%d looks and %d answers: this test has seen nothing", looks, answers)
	}
	t.Logf("%d looks at the status, %d answers of pods: %v", looks, answers, versions)
	if image(p.live("deployments", "web")) != "syncd-test/app:2" {
		t.Error("the change did not arrive")
	}
	p.settled()
}

// watchAvailability asks, until the returned function is called, how many replicas
// are available, and ready pods for an answer.
func (p *place) watchAvailability(t *testing.T, want int) (end func() (looks, answers int, versions map[string]int)) {
	t.Helper()
	var wait sync.WaitGroup
	stop := make(chan struct{})
	looks, answers, versions := 0, 0, map[string]int{}
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			n, _ := field(p.live("deployments", "web"), "status", "availableReplicas").(float64)
			if looks++; int(n) < want {
				t.Errorf("%v replicas are available, want %d", n, want)
			}
			if said, ok := p.askReadyPod(); ok {
				answers++
				versions[said]++
			}
		}
	})
	return func() (int, int, map[string]int) {
		close(stop)
		wait.Wait()
		if answers == 0 {
			t.Error("no pod ever answered")
		}
		return looks, answers, versions
	}
}

// askReadyPod asks a pod that is ready and not on its way out, by way of the API
// server. One that has gone since tells nothing.
func (p *place) askReadyPod() (string, bool) {
	list, err := p.access.Do(p.t.Context(), "GET", p.path("pods", "")+"?labelSelector=app%3Dweb", nil)
	if err != nil {
		return "", false
	}
	items, _ := list["items"].([]any)
	for _, item := range items {
		pod := item.(map[string]any)
		if field(pod, "metadata", "deletionTimestamp") != nil || !isReady(pod) {
			continue
		}
		name := field(pod, "metadata", "name").(string)
		said, err := p.access.Read(p.t.Context(), p.path("pods", name+":8080")+"/proxy/")
		if err != nil {
			if now := p.live("pods", name); now != nil && field(now, "metadata", "deletionTimestamp") == nil {
				p.t.Errorf("pod %s is ready and does not answer: %v", name, err)
			}
			return "", false
		}
		return strings.TrimSpace(string(said)), true
	}
	p.t.Error("no pod is ready")
	return "", false
}

func isReady(pod map[string]any) bool {
	conditions, _ := field(pod, "status", "conditions").([]any)
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == "Ready" {
			return c["status"] == "True"
		}
	}
	return false
}

// A fix does not wait behind the deploy that it fixes.
func TestAFixPreemptsAFailingDeploy(t *testing.T) {
	p := newPlace(t)
	p.settings("rollout: {soak: 200ms, timeout: 10m}\n")
	p.deploy(settingsMap, web)
	p.run()
	p.awaitOutcome(0, reconcile.Applied)
	mark := p.mark()
	p.deploy(settingsMap, with("NEVER_READY", "1"))
	p.awaitStep(mark, "Deployment/"+p.namespace+"/web", apply.Waiting)
	mark = p.mark()
	p.deploy(settingsMap, version(web, "3"))
	p.awaitOutcome(mark, reconcile.Superseded)
	p.awaitOutcome(mark, reconcile.Applied)
	if got := image(p.live("deployments", "web")); got != "syncd-test/app:3" {
		t.Errorf("%v runs, want the fix", got)
	}
}
