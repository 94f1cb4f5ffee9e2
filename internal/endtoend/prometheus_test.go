package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// prometheus is the distribution's, with the alerts of this repository, that scrapes.
type prometheus struct {
	t       testing.TB
	address string
	log     lockedBuffer
}

// scraping starts a Prometheus that scrapes an agent each second. What an alert waits
// for is a second, too.
func scraping(t testing.TB, agent string) *prometheus {
	t.Helper()
	p, dir := &prometheus{t: t, address: freePort(t)}, t.TempDir()
	rules, err := os.ReadFile("../../deploy/monitoring/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hasty := regexp.MustCompile(`for: \w+`).ReplaceAllString(string(rules), "for: 1s")
	for name, text := range map[string]string{
		"rules.yaml": hasty,
		"prometheus.yaml": fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: syncd
    static_configs: [{targets: ["%s"]}]
`, agent),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	if err := cmd.Start(); err != nil {
		t.Fatalf("prometheus (hack/proxies.sh installs it): %v", err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("prometheus ended with %v\n%s", err, p.log.String())
		}
	})
	return p
}

// holds tells whether a query has an answer.
func (p *prometheus) holds(query string) bool {
	p.t.Helper()
	res, err := http.Get("http://" + p.address + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return false // it does not listen yet
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return false
	}
	if answer.Status == "error" {
		p.t.Fatalf("%s: %s", query, answer.Error)
	}
	return len(answer.Data.Result) > 0
}

// awaits waits until a query has an answer.
func (p *prometheus) awaits(query string) {
	p.t.Helper()
	dockertest.Eventually(p.t, query, func() bool { return p.holds(query) })
}

// wellNamed lets promtool read an agent's page.
func wellNamed(t testing.TB, agent string) {
	t.Helper()
	res, err := http.Get("http://" + agent + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	check := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	check.Stdin = res.Body
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// Prometheus scrapes a real agent, drift fires an alert, and its repair ends it.
func TestPrometheusHearsOfDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine and Prometheus")
	}
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nsync: {selfHeal: false}\n")
	h.deploy(drifting)
	agent := freePort(t)
	h.deployed(h.runProcess(fmt.Sprintf("  url: %s\n  interval: 1s\nmetrics: {listen: %q}\n", h.repo, agent)))
	p := scraping(t, agent)
	of := fmt.Sprintf(`{job="syncd",app=%q`, h.project)
	p.awaits(`up{job="syncd"} == 1`)
	p.awaits(`syncd_passes_total` + of + `,outcome="applied"} == 1`)
	for _, query := range []string{
		`syncd_app_info` + of + `,good=~"[0-9a-f]{10}",wanted=~"[0-9a-f]{10}"}`, `time() - syncd_app_synced_timestamp_seconds` + of + `} < 600`, `syncd_repository_up == 1`,
		`syncd_engine_requests_total{verb="containers start",outcome="ok"} >= 1`, `syncd_child_runs_total{operation="render",outcome="answered"} >= 1`,
		`syncd_git_requests_total{operation="query",outcome="ok"} >= 1`, `syncd_pass_phase_duration_seconds_count{phase="soak"} == 1`,
	} {
		if !p.holds(query) {
			t.Errorf("%s does not hold", query)
		}
	}
	wellNamed(t, agent)
	p.awaits(`absent(ALERTS{alertstate="firing"})`) // before the first scrape, the agent was missed

	firing := `ALERTS{alertname="SyncdDrift",alertstate="firing",app="` + h.project + `"}`
	h.must(h.api.ContainerStop(t.Context(), h.one("web").ID, container.StopOptions{}))
	p.awaits(firing)
	if query := `syncd_drift_objects` + of + `,class="modified"} == 1`; !p.holds(query) {
		t.Errorf("%s does not hold", query)
	}
	out, err := exec.CommandContext(t.Context(), agentProgram(t), "sync", h.project, "--state", h.state).CombinedOutput()
	if err != nil {
		t.Fatalf("syncd sync: %v\n%s", err, out)
	}
	p.awaits(`absent(` + firing + `)`)
}
