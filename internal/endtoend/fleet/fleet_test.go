// Package fleet_test measures the whole agent with many apps on a real API server.
package fleet_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/internal/endtoend/programs"
	"syncd.io/syncd/internal/kubetest"
)

// manifest is an app of four objects. Where its Deployment asks for no pod, what is
// measured is the agent and the API server alone. A pod that nothing probes would be
// watched for a while after it has started.
const manifest = `apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME}
spec: {rules: [{host: NAME.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {number: 80}}}}]}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {serviceAccountName: NAME, containers: [{name: app, image: "syncd-test/app:VERSION", readinessProbe: {httpGet: {path: /, port: 8080}}}]}
`

// fleet is a repository of many apps, an agent, and the API server that it works on.
type fleet struct {
	*testing.B
	cluster *kubetest.Cluster
	dir     string
	syncd   string // the program
	apps    int
	pods    int // of each app
	agent   *exec.Cmd
	results chan string // outcomes of passes, as the agent's log tells them
	audit   string
}

func newFleet(b *testing.B, apps, pods int) *fleet {
	b.Helper()
	f := &fleet{B: b, dir: b.TempDir(), apps: apps, pods: pods, results: make(chan string, 4*apps+100)}
	policy := filepath.Join(f.dir, "policy.yaml")
	f.audit = filepath.Join(f.dir, "audit.log")
	f.write(policy, "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n")
	f.cluster = kubetest.Start(b, kubetest.Options{APIServer: []string{"--audit-policy-file=" + policy, "--audit-log-path=" + f.audit}})
	built, err := programs.New()
	f.must(err)
	b.Cleanup(func() { f.must(built.Remove()) })
	f.syncd, err = built.Path(b.Context(), "syncd-render", "syncd")
	f.must(err)
	if pods > 0 {
		f.runPods()
	}
	return f
}

// app is the manifest of one app.
func (f *fleet) app(name, version string) string {
	return strings.NewReplacer("NAME", name, "VERSION", version, "REPLICAS", strconv.Itoa(f.pods)).Replace(manifest)
}

func (f *fleet) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fleet) write(path, text string) {
	f.Helper()
	f.must(os.MkdirAll(filepath.Dir(path), 0o755))
	f.must(os.WriteFile(path, []byte(text), 0o644))
}

func (f *fleet) run(name string, args ...string) {
	f.Helper()
	cmd := exec.Command(name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		f.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// commit writes every app in a version.
func (f *fleet) commit(version string) {
	f.Helper()
	for i := range f.apps {
		name := fmt.Sprintf("app-%04d", i)
		f.add(name, f.app(name, version))
	}
	f.record(version)
}

// repo is where the apps are kept.
func (f *fleet) repo() string { return filepath.Join(f.dir, "repo") }

// add writes an app into the repository.
func (f *fleet) add(name, manifest string) {
	f.Helper()
	f.write(filepath.Join(f.repo(), name, "app.yaml"), manifest)
	f.write(filepath.Join(f.repo(), name, ".syncd.yaml"), "rollout: {soak: 0s}\n")
}

// record makes a commit of what was written.
func (f *fleet) record(subject string) {
	f.Helper()
	f.run("git", "-C", f.repo(), "add", "-A")
	f.run("git", "-C", f.repo(), "-c", "user.name=Ann", "-c", "user.email=a@example.com", "commit", "-q", "-m", subject)
}

// first is the app that is there before all others: who measures an install does not
// measure how an agent begins.
const first = `{apiVersion: v1, kind: ConfigMap, metadata: {name: first}, data: {is: there}}`

// start runs the agent as a process of its own, on a repository with one small app. It
// looks again when it is told.
func (f *fleet) start() {
	f.Helper()
	f.run("git", "init", "-q", "-b", "main", f.repo())
	f.add("first", first)
	f.record("first")
	config := filepath.Join(f.dir, "syncd.yaml")
	f.write(config, fmt.Sprintf(`host: {name: bench}
repo: {url: %s/repo, interval: 5m}
state: %s/state
socket: %s/s.sock
kubernetes: {kubeconfig: %s, record: secrets, namespace: default}
`, f.dir, f.dir, f.dir, f.cluster.Kubeconfig()))
	f.agent = exec.Command(f.syncd, "run", "--config", config, "--log-format", "json")
	out, err := f.agent.StderrPipe()
	f.must(err)
	f.must(f.agent.Start())
	go f.listen(out)
	f.Cleanup(func() {
		_ = f.agent.Process.Signal(syscall.SIGTERM)
		_ = f.agent.Wait()
	})
}

// look has the agent look at its repository now.
func (f *fleet) look() {
	f.Helper()
	f.must(f.agent.Process.Signal(syscall.SIGHUP))
}

// listen takes the outcomes out of the agent's log, until it ends.
func (f *fleet) listen(log io.Reader) {
	for s := bufio.NewScanner(log); s.Scan(); {
		var line struct{ Outcome, Msg, Error string }
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Outcome != "" {
			f.results <- line.Outcome
		} else if os.Getenv("FLEET_LOG") != "" {
			fmt.Fprintln(os.Stderr, s.Text())
		}
	}
}

// await waits for so many outcomes.
func (f *fleet) await(n int, outcome string) {
	f.Helper()
	limit := time.After(10 * time.Minute)
	for seen := 0; seen < n; {
		select {
		case got := <-f.results:
			if got == outcome {
				seen++
			} else {
				f.Logf("a pass was %s", got)
			}
		case <-limit:
			f.Fatalf("%d of %d apps are %s", seen, n, outcome)
		}
	}
}

// usage is CPU time: the agent's own, and its children's.
type usage struct{ own, children time.Duration }

func (u usage) since(before usage) usage {
	return usage{u.own - before.own, u.children - before.children}
}

// spent is the agent's CPU time so far.
func (f *fleet) spent() usage {
	f.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.agent.Process.Pid))
	f.must(err)
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	var ticks [4]time.Duration
	for i := range ticks { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(fields[11+i], 10, 64)
		f.must(err)
		ticks[i] = time.Duration(n) * 10 * time.Millisecond
	}
	return usage{ticks[0] + ticks[1], ticks[2] + ticks[3]}
}

// rss is the agent's memory, now or at most.
func (f *fleet) rss(field string) float64 {
	f.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.agent.Process.Pid))
	f.must(err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			f.must(err)
			return n / 1024
		}
	}
	f.Fatalf("no %s", field)
	return 0
}

// requests counts what the agent has asked the API server, by verb and resource, from
// its audit log.
func (f *fleet) requests() map[string]int {
	f.Helper()
	file, err := os.Open(f.audit)
	f.must(err)
	defer file.Close()
	out := map[string]int{}
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var e struct {
			Verb, UserAgent, RequestURI, Stage string
			ObjectRef                          struct{ Resource string }
		}
		if json.Unmarshal(s.Bytes(), &e) != nil || !strings.HasPrefix(e.UserAgent, "syncd/") {
			continue
		}
		if e.Verb == "watch" && e.Stage != "ResponseStarted" { // it is counted when it begins
			continue
		}
		what := e.Verb + " " + e.ObjectRef.Resource
		if strings.Contains(e.RequestURI, "dryRun=All") {
			what = "dry-run " + e.ObjectRef.Resource
		}
		out[what]++
	}
	return out
}

// measured runs do and reports what it cost.
func (f *fleet) measured(what string, do func()) time.Duration {
	f.Helper()
	cpu, before, begun := f.spent(), f.requests(), time.Now()
	do()
	took := time.Since(begun)
	used, total := f.spent().since(cpu), 0
	diff := map[string]int{}
	for verb, n := range f.requests() {
		if n -= before[verb]; n > 0 && !strings.Contains(verb, "leases") {
			diff[verb] = n
			if !strings.HasPrefix(verb, "watch") {
				total += n
			}
		}
	}
	f.perApp(what, diff)
	f.Logf("%s: %s, %s CPU and %s of children, %d requests besides watches: %v", what, took.Round(time.Millisecond), used.own, used.children, total, diff)
	f.ReportMetric(took.Seconds(), what+"-s")
	f.ReportMetric((used.own + used.children).Seconds(), what+"-cpu-s")
	f.ReportMetric(used.own.Seconds(), what+"-own-cpu-s")
	f.ReportMetric(float64(total), what+"-requests")
	return took
}

// perApp reports what the bars are about: requests for each of so many objects that
// change, besides what is told of them; writes of the record, and watches, for each app.
func (f *fleet) perApp(what string, diff map[string]int) {
	f.Helper()
	objects, named := map[string]int{"install": 4, "change": 1}[what]
	if !named {
		return
	}
	var asked, records, watches int
	for verb, n := range diff {
		switch {
		case strings.HasPrefix(verb, "watch "):
			watches += n
		case strings.HasSuffix(verb, " secrets"):
			records += n
		case !strings.HasSuffix(verb, " events"):
			asked += n
		}
	}
	f.ReportMetric(float64(asked)/float64(objects*f.apps), what+"-requests/object")
	f.ReportMetric(float64(records)/float64(f.apps), what+"-records/app")
	f.ReportMetric(float64(watches)/float64(f.apps), what+"-watches/app")
}

// bare applies as many objects, and writes as many Secrets as the agent does records,
// with eight requests under way, and waits for the pods: what the cluster itself needs.
func (f *fleet) bare() time.Duration {
	f.Helper()
	type request struct{ method, path, content, body string }
	var all []request
	paths := []string{"/api/v1/namespaces/default/serviceaccounts/", "/api/v1/namespaces/default/services/", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/", "/apis/apps/v1/namespaces/default/deployments/"}
	for i := range f.apps {
		name := fmt.Sprintf("bare-%04d", i)
		for j, doc := range strings.Split(f.app(name, "1"), "---\n") {
			all = append(all, request{"PATCH", paths[j] + name + "?fieldManager=bare&force=true", "application/apply-patch+yaml", doc})
		}
		secret := fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q},"stringData":{"record":%q}}`, name, strings.Repeat("x", 4000))
		all = append(all, request{"POST", "/api/v1/namespaces/default/secrets", "application/json", secret},
			request{"PUT", "/api/v1/namespaces/default/secrets/" + name, "application/json", strings.Replace(secret, "xx", "yy", 1)})
	}
	begun := time.Now()
	var group errgroup.Group
	group.SetLimit(8)
	var order sync.Map // a Secret is made before it is changed
	for i, r := range all {
		if r.method == "POST" {
			order.Store(i, make(chan struct{}))
		}
	}
	for i, r := range all {
		group.Go(func() error {
			if r.method == "PUT" {
				made, _ := order.Load(i - 1)
				<-made.(chan struct{})
			}
			defer func() {
				if made, ok := order.Load(i); ok {
					close(made.(chan struct{}))
				}
			}()
			return f.send(r.method, r.path, r.content, r.body)
		})
	}
	f.must(group.Wait())
	if f.pods > 0 {
		f.awaitPods(f.apps)
	}
	return time.Since(begun)
}

func (f *fleet) send(method, path, content, body string) error {
	_, err := f.ask(method, path, content, body)
	return err
}

// get reads an answer into out.
func (f *fleet) get(path string, out any) error {
	text, err := f.ask(http.MethodGet, path, "", "")
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

func (f *fleet) ask(method, path, content, body string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(f.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, f.cluster.URL()+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", content)
	answer, err := f.cluster.Client().Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s", method, path, text)
	}
	return text, err
}
