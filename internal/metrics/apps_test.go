package metrics

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// told are the lines of a page with these collectors that are not comments.
func told(t *testing.T, collectors ...Collector) []string {
	t.Helper()
	page, err := Handler(collectors...)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("the page is %d: %s", w.Code, w.Body)
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// has fails the test for each line that a page lacks.
func has(t *testing.T, page []string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.Contains(page, line) {
			t.Errorf("the page lacks %s:\n%s", line, strings.Join(page, "\n"))
		}
	}
}

type shops []App

func (s shops) Apps() []App { return s }

func at(second int64) time.Time { return time.Unix(1_700_000_000+second, 0) }

func shop(name string) App {
	return App{
		Name: name, Good: "0123456789abcdef", Wanted: "fedcba9876543210", GoodTime: at(1), WantedTime: at(2), Synced: at(3), Outcome: "held",
		Quarantined: 1, Held: true, Drift: map[string]int{"modified": 2, "missing": 1}, Passes: map[string]uint64{"applied": 4, "held": 2}, Rollbacks: 3,
	}
}

func TestAPageTellsOfApps(t *testing.T) {
	page := told(t, OfApps(shops{shop("shop"), {Name: "fresh"}}))
	has(t, page, `syncd_app_info{app="shop",good="0123456789",wanted="fedcba9876"} 1`, `syncd_app_outcome{app="shop",outcome="held"} 1`,
		`syncd_app_synced_timestamp_seconds{app="shop"} 1.700000003e+09`, `syncd_app_good_revision_timestamp_seconds{app="shop"} 1.700000001e+09`,
		`syncd_app_wanted_revision_timestamp_seconds{app="shop"} 1.700000002e+09`, `syncd_passes_total{app="shop",outcome="applied"} 4`,
		`syncd_rollbacks_total{app="shop"} 3`, `syncd_drift_objects{app="shop",class="modified"} 2`, `syncd_drift_objects{app="shop",class="missing"} 1`,
		`syncd_app_quarantined{app="shop"} 1`, `syncd_app_held{app="shop"} 1`, `syncd_app_halted{app="shop"} 0`, `syncd_app_paused{app="shop"} 0`,
		`syncd_rollbacks_total{app="fresh"} 0`, `syncd_app_held{app="fresh"} 0`)
	for _, line := range page {
		if strings.Contains(line, `"fresh"`) && (strings.Contains(line, "timestamp") || strings.Contains(line, "outcome")) {
			t.Errorf("of an app without a pass it says %s", line)
		}
	}
}

// However many apps there are, so many have series of their own; the others are told
// together, and none is lost.
func TestAppsBeyondTheFirstAreToldTogether(t *testing.T) {
	late := shop("d")
	late.Outcome, late.Held, late.Synced = "applied", false, at(-5)
	all := shops{shop("a"), shop("b"), shop("c"), late}
	c := ofApps(&all, 2)
	page := told(t, c)
	has(t, page, `syncd_app_held{app="a"} 1`, `syncd_app_held{app="b"} 1`, `syncd_app_held{app="other"} 1`, `syncd_rollbacks_total{app="other"} 6`,
		`syncd_app_outcome{app="other",outcome="held"} 1`, `syncd_app_outcome{app="other",outcome="applied"} 1`, `syncd_passes_total{app="other",outcome="applied"} 8`,
		`syncd_drift_objects{app="other",class="modified"} 4`, `syncd_app_synced_timestamp_seconds{app="other"} 1.699999995e+09`)
	if text := strings.Join(page, "\n"); strings.Contains(text, `app="c"`) || strings.Contains(text, `app="other",good`) {
		t.Errorf("the page is\n%s", text)
	}
	all = shops{shop("b"), shop("c"), late} // a is gone: another one has its place
	page = told(t, c)
	has(t, page, `syncd_app_held{app="b"} 1`, `syncd_app_held{app="c"} 1`, `syncd_app_held{app="other"} 0`)
}

func TestCallsAreCountedByWhatWasAsked(t *testing.T) {
	c := OfGit()
	c.Done("ok", 20*time.Millisecond, "query", "https://a/r")
	c.Done("unreachable", 15*time.Second, "query", "https://a/r")
	c.Done("ok", time.Second, "fetch", "https://a/r")
	page := told(t, c)
	has(t, page, `syncd_git_requests_total{operation="query",outcome="ok",remote="https://a/r"} 1`, `syncd_git_requests_total{operation="query",outcome="unreachable",remote="https://a/r"} 1`,
		`syncd_git_requests_duration_seconds_count{operation="query",remote="https://a/r"} 2`, `syncd_git_requests_duration_seconds_bucket{operation="query",remote="https://a/r",le="0.05"} 1`,
		`syncd_git_requests_duration_seconds_count{operation="fetch",remote="https://a/r"} 1`)
	for n := range 10 * mostCalls { // whatever comes, it costs no more than this
		c.Done("ok", 0, "query", strings.Repeat("x", n))
	}
	page = told(t, c)
	if n := len(slices.DeleteFunc(page, func(line string) bool { return !strings.HasPrefix(line, "syncd_git_requests_total") })); n > mostCalls+5 {
		t.Errorf("the page has %d series of them", n)
	}
}

func TestPassesAreTimedByPhase(t *testing.T) {
	d := NewDurations()
	d.Pass("applied", 3*time.Second, map[string]time.Duration{"render": 40 * time.Millisecond, "rollout": 2 * time.Second, "soak": 0})
	page := told(t, d)
	has(t, page, `syncd_pass_duration_seconds_count{outcome="applied"} 1`, `syncd_pass_duration_seconds_sum{outcome="applied"} 3`,
		`syncd_pass_phase_duration_seconds_bucket{phase="render",le="0.05"} 1`, `syncd_pass_phase_duration_seconds_bucket{phase="rollout",le="1"} 0`)
	if strings.Contains(strings.Join(page, "\n"), "soak") {
		t.Error("a pass without a soak counts as one that took no time")
	}
}

type desk Work

func (d desk) Work() Work { return Work(d) }

func TestAPageTellsWhatTheAgentDoes(t *testing.T) {
	has(t, told(t, OfAgent(desk{Leads: true, SourceSeen: true, Passes: map[string]int{"changing": 2, "waiting": 0}})),
		"syncd_leading 1", "syncd_repository_up 1", `syncd_passes_underway{state="changing"} 2`, `syncd_passes_underway{state="waiting"} 0`)
	if page := told(t, OfAgent(desk{})); !slices.Equal(page, []string{"syncd_leading 0"}) {
		t.Errorf("of one that stands by it says %q", page)
	}
	page := told(t, OfProcess("1.2.3")...)
	has(t, page, `syncd_build_info{version="1.2.3"} 1`)
	if !strings.Contains(strings.Join(page, "\n"), "process_resident_memory_bytes ") {
		t.Error("it does not say how much memory the process has")
	}
}

func TestAPageTellsOfTraces(t *testing.T) {
	has(t, told(t, OfTraces(posted{"sent": 3, "dropped": 0})), `syncd_traces_total{outcome="sent"} 3`, `syncd_traces_total{outcome="dropped"} 0`)
}

type letters []Queue

func (l letters) Queues() []Queue { return l }

func TestAPageTellsWhatWaitsToBeTold(t *testing.T) {
	page := told(t, OfQueues(letters{{Channel: "ops", Waiting: 3, Oldest: at(0), Ended: map[string]uint64{"delivered": 7, "given up": 1}}, {Channel: "mail"}}))
	has(t, page, `syncd_notifications_waiting{channel="ops"} 3`, `syncd_notifications_oldest_timestamp_seconds{channel="ops"} 1.7e+09`,
		`syncd_notifications_total{channel="ops",outcome="delivered"} 7`, `syncd_notifications_total{channel="ops",outcome="given up"} 1`,
		`syncd_notifications_waiting{channel="mail"} 0`)
	if strings.Contains(strings.Join(page, "\n"), `oldest_timestamp_seconds{channel="mail"}`) {
		t.Error("an empty queue has no oldest message")
	}
}
