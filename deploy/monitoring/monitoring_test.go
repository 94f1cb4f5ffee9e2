// Package monitoring_test holds the alerts and the dashboard of this directory against
// the distribution's Prometheus.
package monitoring_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// promtool runs it in this directory.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs promtool")
	}
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatalf("promtool is not installed (hack/proxies.sh does so, or run with -short): %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// rules are a file of them.
type rules struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Alert  string            `yaml:"alert,omitempty"`
	Record string            `yaml:"record,omitempty"`
	Expr   string            `yaml:"expr"`
	Labels map[string]string `yaml:"labels,omitempty"`
}

func TestAlertsFireWhenTheyHaveTo(t *testing.T) {
	promtool(t, "check", "rules", "rules.yaml")
	promtool(t, "test", "rules", "rules_test.yaml")
}

// Each alert has a scenario in which it fires, and a severity to go by.
func TestEveryAlertHasAScenario(t *testing.T) {
	var all rules
	if err := yaml.Unmarshal(read(t, "rules.yaml"), &all); err != nil {
		t.Fatal(err)
	}
	scenarios, page, seen := string(read(t, "rules_test.yaml")), string(read(t, "../../docs/metrics.md")), 0
	for _, g := range all.Groups {
		for _, r := range g.Rules {
			seen++
			if !regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:\n`).MatchString(scenarios) {
				t.Errorf("%s fires in no scenario", r.Alert)
			}
			if !strings.Contains(page, "| `"+r.Alert+"` |") {
				t.Errorf("%s is not on docs/metrics.md", r.Alert)
			}
			if s := r.Labels["severity"]; s != "error" && s != "warning" {
				t.Errorf("%s has the severity %q", r.Alert, s)
			}
		}
	}
	if seen == 0 {
		t.Error("there are no alerts")
	}
}

// panel is one of a dashboard, as far as it is looked at.
type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

func panels(t *testing.T) []panel {
	t.Helper()
	var board struct {
		Panels []panel `json:"panels"`
	}
	if err := json.Unmarshal(read(t, "dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	return board.Panels
}

func TestPanelsOfTheDashboardAreWhole(t *testing.T) {
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range panels(t) {
		if p.ID == 0 || ids[p.ID] || p.Title == "" || titles[p.Title] {
			t.Errorf("panel %d, %q, has no number or title of its own", p.ID, p.Title)
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("panel %q, a %s, has %d queries", p.Title, p.Type, len(p.Targets))
		}
		ids[p.ID], titles[p.Title] = true, true
	}
	if len(ids) < 20 {
		t.Errorf("it has %d panels", len(ids))
	}
}

// What the dashboard asks is written as rules, which Prometheus reads as strictly.
func TestQueriesOfTheDashboardAreUnderstood(t *testing.T) {
	var asked group
	asked.Name = "dashboard"
	for _, p := range panels(t) {
		for _, q := range p.Targets {
			asked.Rules = append(asked.Rules, rule{Record: "dashboard:panel:query", Expr: strings.ReplaceAll(q.Expr, "$__rate_interval", "5m")})
		}
	}
	for i := range asked.Rules { // no two rules may be alike
		asked.Rules[i].Labels = map[string]string{"n": strings.Repeat("i", i+1)}
	}
	text, err := yaml.Marshal(rules{Groups: []group{asked}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}
