package drift

import (
	"encoding/json"
	"testing"

	"syncd.io/syncd/internal/resource"
)

func TestRulesLetFieldsDiffer(t *testing.T) {
	want := `{"env":{"A":"1","B":"2"},"limits":{"cpu":1},"ports":[{"host":"1.1.1.1","target":80}],"spec":{"replicas":2}}`
	live := `{"env":{"A":"9","C":"3"},"limits":{"cpu":4},"ports":[{"host":"2.2.2.2","target":80},{"target":90}],"spec":{"replicas":5}}`
	for _, c := range []struct {
		objects, fields []string
		left            string // what is drift still
		ignored         int
		yields          string
	}{
		{nil, []string{"spec.replicas"}, "container/web/1 modified\n  env.A: 9 -> 1\n  env.B: (none) -> 2\n  env.C: 3 -> (none)\n  limits.cpu: 4 -> 1\n  ports[80].host: 2.2.2.2 -> 1.1.1.1\n  ports[90].target: 90 -> (none)", 1,
			`{"env":{"A":"1","B":"2"},"limits":{"cpu":1},"ports":[{"host":"1.1.1.1","target":80}],"spec":{"replicas":5}}`},
		{[]string{"container/web"}, []string{"/env", "ports", "/spec/replicas", "limits.*"}, "container/web/1 in sync", 7, live},
		{[]string{"container/w*/1"}, []string{"env.*", "ports[80]", "/spec"}, "container/web/1 modified\n  limits.cpu: 4 -> 1\n  ports[90].target: 90 -> (none)", 5,
			`{"env":{"A":"9","C":"3"},"limits":{"cpu":1},"ports":[{"host":"2.2.2.2","target":80}],"spec":{"replicas":5}}`},
		{[]string{"container/db", "Deployment/*"}, []string{"env"}, "container/web/1 modified\n  env.A: 9 -> 1\n  env.B: (none) -> 2\n  env.C: 3 -> (none)\n  limits.cpu: 4 -> 1\n  ports[80].host: 2.2.2.2 -> 1.1.1.1\n  ports[90].target: 90 -> (none)\n  spec.replicas: 5 -> 2", 0, want},
	} {
		p := pair(want, live)
		rules := []Rule{{Objects: c.objects, Fields: c.fields, Reason: "an operator does"}}
		f := Compare([]resource.Pair{p}, Options{Ignore: rules}).Findings[0]
		if f.String() != c.left || len(f.Ignored) != c.ignored {
			t.Errorf("%v: %d are ignored, and left is\n%s\nwant %d, and\n%s", c.fields, len(f.Ignored), f, c.ignored, c.left)
		}
		for _, i := range f.Ignored {
			if i.Rule != "an operator does" {
				t.Errorf("%s is ignored, for %q", i.Path, i.Rule)
			}
		}
		if got := Yield(p, 0, rules); string(got.Spec) != c.yields {
			t.Errorf("%v yields\n%s\nwant\n%s", c.fields, got.Spec, c.yields)
		}
		if string(p.Want.Spec) != want {
			t.Fatal("what is wanted was changed itself")
		}
	}
}

func TestNameOfARuleIsNotTheBeginningOfAnother(t *testing.T) {
	p := pair(`{"replicas":1,"replicasMax":1}`, `{"replicas":2,"replicasMax":2}`)
	for _, field := range []string{"replicas", "/replicas", "/replicas/"} {
		f := Compare([]resource.Pair{p}, Options{Ignore: []Rule{{Fields: []string{field}}}}).Findings[0]
		if len(f.Changes) != 1 || f.Changes[0].Path != "replicasMax" {
			t.Errorf("%s leaves %v", field, f.Changes)
		}
	}
}

// A job runs as it is wanted.
func TestRulesAreNotForJobs(t *testing.T) {
	p := pair(`{"image":"v2"}`, `{"image":"v1"}`)
	p.Want.Once = true
	if f := Compare([]resource.Pair{p}, Options{Ignore: []Rule{{Fields: []string{"image"}}}}).Findings[0]; f.Class != Modified {
		t.Errorf("it is %s", f)
	}
}

func FuzzYield(f *testing.F) {
	f.Add(`{"a":[{"name":"x","v":1}],"b":{"c":null}}`, `{"a":[{"name":"y"}],"b":[1]}`, "a[x].v", "/b")
	f.Add(`[]`, `{}`, "*", "/*/a")
	f.Fuzz(func(t *testing.T, want, live, field, pointer string) {
		if !json.Valid([]byte(want)) || !json.Valid([]byte(live)) {
			t.Skip()
		}
		p := pair(want, live)
		if p.Want == nil {
			t.Skip()
		}
		rules := []Rule{{Fields: []string{field, pointer}}}
		Compare([]resource.Pair{p}, Options{Ignore: rules})
		if got := Yield(p, 0, rules); !json.Valid(got.Spec) {
			t.Errorf("it yields %s", got.Spec)
		}
	})
}
