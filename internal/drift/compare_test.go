package drift

import (
	"encoding/json"
	"strings"
	"testing"

	"syncd.io/syncd/internal/resource"
)

func webKey() resource.Key {
	return resource.Key{Kind: "container", Namespace: "web", Name: "1"}
}

// pair is one slot whose wanted form is want, with one running instance per
// live; "" wants nothing, a leading "-" marks a stopped one.
func pair(want string, live ...string) resource.Pair {
	p := resource.Pair{Key: webKey(), Group: "web", InPlace: []string{"/limits", "/state"}}
	if want != "" {
		p.Want = &resource.Object{Key: p.Key, Group: "web", Spec: json.RawMessage(want)}
		p.Stored = json.RawMessage(want)
	}
	for _, spec := range live {
		text, stopped := strings.CutPrefix(spec, "-")
		p.Live = append(p.Live, resource.Instance{Spec: json.RawMessage(text), Running: !stopped})
	}
	return p
}

func with(p resource.Pair, change func(*resource.Pair)) resource.Pair {
	change(&p)
	return p
}

func TestClasses(t *testing.T) {
	foreign := func(p *resource.Pair) { p.Live[0].Foreign = true }
	job := func(p *resource.Pair) { p.Want.Once, p.Want.Job = true, &resource.Job{} }
	demand := func(p *resource.Pair) { p.Want.Once, p.Want.Job = true, &resource.Job{OnDemand: true} }
	v1, v2 := `{"image":"v1","state":"running"}`, `{"image":"v2","state":"running"}`
	mended := `{"image":"v1","limits":{"cpu":1},"state":"running"}`
	for _, c := range []struct {
		name  string
		pair  resource.Pair
		done  bool
		class Class
		match int
		text  string
	}{
		{"in sync", pair(v1, v1), false, InSync, 0, "container/web/1 in sync"},
		{"missing", pair(v1), false, Missing, None, "container/web/1 missing"},
		{"extra", pair("", v1), false, Extra, None, "container/web/1 extra"},
		{"modified", pair(v2, v1), false, Modified, None, "container/web/1 modified\n  image: v1 -> v2"},
		{"in place", pair(mended, v1), false, Modified, 0, "container/web/1 modified\n  limits.cpu: (none) -> 1"},
		{"in place and not", pair(mended, v2), false, Modified, None, "container/web/1 modified\n  image: v2 -> v1\n  limits.cpu: (none) -> 1"},
		{"stopped", pair(v1, `-{"image":"v1","state":"exited"}`), false, Modified, 0, "container/web/1 modified\n  state: exited -> running"},
		{"one too many", pair(v1, v2, v1), false, Extra, 1, "container/web/1 extra: 2 instances where one is wanted"},
		{"one too many, none right", pair(mended, v2, v1), false, Modified, 1, "container/web/1 modified\n  limits.cpu: (none) -> 1"},
		{"a running match comes first", pair(v1, `-{"image":"v1","state":"running"}`, v1), false, Extra, 1, "container/web/1 extra: 2 instances where one is wanted"},
		{"the nearest is shown", pair(v2, `{"image":"v1","a":1,"b":2,"state":"running"}`, v1), false, Modified, None, "container/web/1 modified\n  image: v1 -> v2"},
		{"foreign", with(pair(v1, v1), foreign), false, Foreign, None, "container/web/1 foreign: made by something else and never taken over"},
		{"foreign and unwanted", with(pair("", v1), foreign), false, Foreign, None, "container/web/1 foreign: made by something else and never taken over"},
		{"deferred", with(pair(v1), func(p *resource.Pair) { p.Deferred = "no crd yet" }), false, Deferred, None, "container/web/1 deferred: no crd yet"},
		{"a job that is done", with(pair(v1), job), true, InSync, None, "container/web/1 in sync"},
		{"a job that is done, beside another input's run", with(pair(v1, "-"+v2), job), true, InSync, None, "container/web/1 in sync"},
		{"a job that is done, while something else runs there", with(pair(v1, v2), job), true, Extra, None, "container/web/1 extra: something else runs in the place of a job"},
		{"a job that is not done", with(pair(v1), job), false, Missing, None, "container/web/1 missing"},
		{"a job on demand", with(pair(v1), demand), false, InSync, None, "container/web/1 in sync"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := Options{Done: map[string]bool{}}
			if c.done {
				opts.Done[c.pair.Want.Hash()] = true
			}
			report := Compare([]resource.Pair{c.pair}, opts)
			f := report.Findings[0]
			if f.Class != c.class || f.Match != c.match || f.String() != c.text {
				t.Errorf("got %s (match %d), want %s (match %d)\n%s\n%s", f.Class, f.Match, c.class, c.match, f, c.text)
			}
			if report.InSync() != (c.class == InSync) {
				t.Errorf("the report's InSync is %t", report.InSync())
			}
			if f.Class == Modified && len(f.Changes) == 0 {
				t.Error("drift with an empty field list does not exist")
			}
		})
	}
}

func TestReportPrintsOnlyWhatDiffers(t *testing.T) {
	report := Compare([]resource.Pair{pair(`1`, `1`), pair(`{"a":1}`, `{"a":2}`), pair(`{"b":1}`)}, Options{})
	if got, want := report.String(), "container/web/1 modified\n  a: 2 -> 1\ncontainer/web/1 missing"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := len(report.Different()); n != 2 {
		t.Errorf("%d differ", n)
	}
	if got := (Report{}).String(); got != "" || !(Report{}).InSync() {
		t.Errorf("the empty report prints %q", got)
	}
}
