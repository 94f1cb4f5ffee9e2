package reconcile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// anyDemand is one of a few, so that many of them clash.
func anyDemand(r *rand.Rand) demand {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	d := demand{host: pick("", "0.0.0.0", "::", "127.0.0.1", "::1"), protocol: pick("tcp", "udp"), from: 8000 + r.IntN(6), count: 1}
	d.to = d.from
	switch r.IntN(4) {
	case 0:
		return demand{name: pick("db", "web")}
	case 1:
		d.to, d.count = d.from+r.IntN(4), 1+r.IntN(3)
	}
	return d
}

// Whom the board does not find wants nothing that clashes.
func TestTheBoardFindsEveryRival(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same ones each time
	clashes, passedOver := 0, 0
	for range 20_000 {
		mine, theirs := anyDemand(r), anyDemand(r)
		sought, all := soughtBy([]demand{mine})
		found := all || slices.Contains(sought, theirs.thing())
		if mine.clashes(theirs) {
			clashes++
			if !found {
				t.Fatalf("%v clashes with %v, which is not found", mine, theirs)
			}
		}
		if !found {
			passedOver++
		}
	}
	if clashes < 1000 || passedOver < 1000 {
		t.Errorf("%d clash, %d are passed over: nothing is shown", clashes, passedOver)
	}
}

// What an app wants is worked out once for a record, and anew for another one; what is
// not sure, each time.
func TestTheBoardKeepsUpWithRecords(t *testing.T) {
	apps := []*worker{{name: "a"}, {name: "b"}, {name: "c"}}
	wants := map[string]string{"a": "x", "b": "x y", "c": "z"}
	asked := ""
	var n interest[string]
	find := func(sought ...string) string {
		asked = ""
		var out []string
		for _, w := range n.find(apps, sought, func(w *worker) ([]string, bool) {
			asked += w.name
			return strings.Fields(wants[w.name]), w.name != "c"
		}) {
			out = append(out, w.name)
		}
		return asked + ": " + strings.Join(out, " ")
	}
	steps := []struct {
		app, wants string
		sought     []string
		want       string
	}{
		{"", "", []string{"x"}, "abc: a b"},
		{"", "", []string{"y", "x"}, "c: a b"},
		{"b", "z", []string{"x"}, "bc: a"},
		{"c", "", []string{"z"}, "c: b"},
		{"a", "y z", []string{"x"}, "ac: "},
		{"", "", []string{"z", "y"}, "c: a b"},
		{"", "", []string{"none"}, "c: "},
	}
	for i, s := range steps {
		for _, w := range apps {
			if w.name == s.app {
				wants[w.name] = s.wants
				w.version.Add(1)
			}
		}
		if got := find(s.sought...); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
}

// Two that look at once: whoever is less sure of a record, or has an older one, takes
// nothing from the other.
func TestTheBoardKeepsWhatIsSure(t *testing.T) {
	for _, late := range []wanted[string]{{[]string{"y"}, 2, false}, {[]string{"y"}, 1, true}, {nil, 1, false}} {
		n := interest[string]{by: map[string][]int{}, of: make([]wanted[string], 1)}
		n.put(0, wanted[string]{[]string{"x"}, 2, true})
		n.put(0, late)
		if got := n.of[0]; !got.sure || got.version != 2 || !slices.Equal(n.by["x"], []int{0}) || len(n.by["y"]) > 0 {
			t.Errorf("after %+v it is %+v, by %v", late, got, n.by)
		}
	}
	n := interest[string]{by: map[string][]int{}, of: make([]wanted[string], 1)}
	n.put(0, wanted[string]{[]string{"x"}, 2, true})
	n.put(0, wanted[string]{[]string{"y"}, 3, false})
	if !slices.Equal(n.by["y"], []int{0}) || len(n.by["x"]) > 0 {
		t.Errorf("a newer record counts, sure or not: by %v", n.by)
	}
}
