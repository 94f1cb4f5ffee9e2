package metrics

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"syncd.io/syncd/internal/source"
)

type remotesOf []source.RemoteStatus

func (r remotesOf) Remotes() []source.RemoteStatus { return r }

type noBells struct{}

func (noBells) Accepted() map[string]uint64   { return map[string]uint64{"forge": 1} }
func (noBells) Refused() map[[2]string]uint64 { return map[[2]string]uint64{{"forge", "path"}: 1} }

type posted map[string]uint64

func (p posted) Counts() map[string]uint64 { return p }

type shut struct{}

func (shut) AppWindows() (open, waiting map[string]bool) {
	return map[string]bool{"shop": false}, map[string]bool{"shop": true}
}

// everything are all collectors that there are, but the process' own.
func everything() []Collector {
	engine, git, child, passes := OfEngine(), OfGit(), OfChild(), NewDurations()
	engine.Done("ok", time.Second, "containers list")
	git.Done("ok", time.Second, "query", "https://a/r")
	child.Done("ok", time.Second, "render")
	passes.Pass("applied", time.Second, map[string]time.Duration{"render": time.Second})
	return []Collector{
		OfApps(shops{shop("shop")}), OfAgent(desk{Leads: true, Passes: map[string]int{"waiting": 0}}), OfProcess("1")[0], engine, git, child, passes,
		OfRemotes(remotesOf{{Name: "https://a/r", Answered: at(0)}}), OfHooks(noBells{}), OfWindows(shut{}), OfTraces(posted{"sent": 1}), OfQueues(letters{{Channel: "ops", Waiting: 1, Oldest: at(0), Ended: map[string]uint64{"delivered": 1}}}), OfGates(nil, nil), //nolint:staticcheck // it is only described
	}
}

// named are the names of what collectors collect.
func named(collectors ...Collector) []string {
	names, name := map[string]bool{}, regexp.MustCompile(`fqName: "([^"]+)"`)
	for _, c := range collectors {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			names[name.FindStringSubmatch(d.String())[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is exposed is documented, and nothing else is.
func TestEveryMetricIsOnItsPage(t *testing.T) {
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(read(t, "../../docs/metrics.md"), -1) {
		documented[row[1]] = true
	}
	if got, want := slices.Sorted(maps.Keys(documented)), named(everything()...); !slices.Equal(got, want) {
		t.Errorf("docs/metrics.md has\n%s\n\nand exposed are\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMetricsAreNamedAsPrometheusWantsThem(t *testing.T) {
	all := slices.DeleteFunc(everything(), func(c Collector) bool { _, gates := c.(*gates); return gates })
	page, err := Handler(all...)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	problems, err := promlint.New(w.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// An alert on a metric that nobody exposes never fires, and a panel stays empty.
func TestAlertsAndDashboardAskForMetricsThatThereAre(t *testing.T) {
	exposed := map[string]bool{}
	for _, name := range named(append(everything(), OfProcess("1")...)...) {
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			exposed[name+suffix] = true
		}
	}
	for _, file := range []string{"rules.yaml", "rules_test.yaml", "dashboard.json"} {
		asked := regexp.MustCompile(`\b(syncd|process|go)_[a-z_]+`).FindAllString(read(t, "../../deploy/monitoring/"+file), -1)
		for _, name := range asked {
			if !exposed[name] {
				t.Errorf("%s asks for %s, which is not exposed", file, name)
			}
		}
		if len(asked) < 10 {
			t.Errorf("%s asks for %q", file, asked)
		}
	}
}
