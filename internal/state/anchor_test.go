package state

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// anchors are the two places in which the accepted revision is kept.
type anchors interface {
	source.Anchors
	Apps() ([]string, error)
	SaveWith(r Record, entries ...Entry) (Entry, error)
	History(app string, limit int) ([]Entry, error)
}

// places runs a test with each of them; begin opens it, once more after a process has
// ended.
func places(t *testing.T, test func(t *testing.T, begin func() anchors)) {
	t.Helper()
	dir, m := t.TempDir(), newMemory()
	var opened *Store
	for name, begin := range map[string]func() anchors{
		"disk": func() anchors {
			if opened != nil {
				opened = reopen(t, opened)
			} else {
				opened = open(t, dir)
			}
			return opened
		},
		"cluster": func() anchors { return m.cluster(t) },
	} {
		t.Run(name, func(t *testing.T) { test(t, begin) })
	}
}

// What a person says about the repository is written once, with the revision that it is
// about, and read in the history of every app: in its place.
func TestAPersonsWordOnTheRepositoryIsReadInEveryHistory(t *testing.T) {
	places(t, func(t *testing.T, begin func() anchors) {
		s := begin()
		done := func(app, what string) {
			t.Helper()
			if _, err := s.SaveWith(Record{App: app}, Entry{App: app, Reason: what}); err != nil {
				t.Fatal(err)
			}
		}
		at := time.Unix(1_700_000_000, 0).UTC()
		overrule := func(commit string) {
			t.Helper()
			if err := s.Overrule(source.Anchor{Commit: commit, At: at}, source.Word{Who: "ann", Reason: "it was meant"}); err != nil {
				t.Fatal(err)
			}
		}
		done("shop", "first")
		overrule("0123")
		done("shop", "second")
		overrule("4567")
		for range 2 {
			for app, want := range map[string]string{"shop": "accept 4567, second , accept 0123, first ", "blog": "accept 4567, accept 0123"} {
				for _, limit := range []int{0, 3, 1} {
					if got := wordsOf(t, s, app, limit); got != firstOf(want, limit) {
						t.Errorf("of %s, limit %d: %q, want %q", app, limit, got, firstOf(want, limit))
					}
				}
			}
			s = begin()
		}
		if a, err := s.Anchor(); err != nil || a.Commit != "4567" {
			t.Errorf("accepted is %+v, %v", a, err)
		}
		if apps, err := s.Apps(); err != nil || !slices.Equal(apps, []string{"shop"}) {
			t.Errorf("the apps are %v, %v", apps, err)
		}
	})
}

// wordsOf is an app's history in brief; each line of it says that it is the app's.
func wordsOf(t *testing.T, s anchors, app string, limit int) string {
	t.Helper()
	entries, err := s.History(app, limit)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		what := cmp.Or(e.Kind, e.Reason) + " " + e.Revision.Commit
		if e.App != app || e.Kind == "accept" && (e.Who != "ann" || e.Reason != "it was meant" || e.At.IsZero()) {
			t.Errorf("of %s: %+v", app, e)
		}
		out = append(out, what)
	}
	return strings.Join(out, ", ")
}

// firstOf are the first words of a list, all where limit is 0.
func firstOf(list string, limit int) string {
	words := strings.Split(list, ", ")
	if limit == 0 || limit > len(words) {
		return list
	}
	return strings.Join(words[:limit], ", ")
}

// An acceptance that cannot be written was none, and its word is not told.
func TestAWordThatCannotBeKeptWasNotGiven(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	if err := c.SetAnchor(source.Anchor{Commit: "old"}); err != nil {
		t.Fatal(err)
	}
	m.trouble = func(int) (error, bool) { return errGone, false }
	if err := c.Overrule(source.Anchor{Commit: "new"}, source.Word{Who: "ann"}); fault.Of(err) != fault.Unreachable {
		t.Errorf("it came to %v", err)
	}
	m.trouble = nil
	for _, c := range []*Cluster{c, m.cluster(t)} {
		a, err := c.Anchor()
		if said := wordsOf(t, c, "shop", 0); err != nil || a.Commit != "old" || said != "" {
			t.Errorf("accepted is %+v, %v; the history says %q", a, err, said)
		}
	}
}

func TestTheAcceptedRevisionOutlastsTheProcess(t *testing.T) {
	places(t, func(t *testing.T, begin func() anchors) {
		s := begin()
		if a, err := s.Anchor(); err != nil || !reflect.DeepEqual(a, source.Anchor{}) {
			t.Errorf("of a new host: %+v, %v", a, err)
		}
		want := source.Anchor{Ref: "branch main", Found: "refs/heads/main", Commit: "0123", Remotes: []string{"https://a/r", "/b"}, At: time.Unix(1_700_000_000, 0).UTC()}
		for range 2 {
			if err := s.SetAnchor(want); err != nil {
				t.Fatal(err)
			}
		}
		s = begin()
		if a, err := s.Anchor(); err != nil || !reflect.DeepEqual(a, want) {
			t.Errorf("got %+v, %v; want %+v", a, err, want)
		}
		if apps, err := s.Apps(); err != nil || len(apps) != 0 {
			t.Errorf("it is taken for an app: %v, %v", apps, err)
		}
	})
}

// Up to where people were told outlasts the process, and neither it nor the accepted
// revision costs the other.
func TestWhoWasToldOutlastsTheProcess(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	if id, to, begun, err := c.Told(); err != nil || begun || id != 0 || to != nil {
		t.Errorf("of a new cluster: %d, %v, %v", id, begun, err)
	}
	if err := c.SetTold(0, nil); err != nil {
		t.Fatal(err)
	}
	c = m.cluster(t)
	if id, _, begun, err := c.Told(); err != nil || !begun || id != 0 {
		t.Errorf("where it was begun with nothing: %d, %v, %v", id, begun, err)
	}
	for _, err := range []error{c.SetAnchor(source.Anchor{Commit: "old"}), c.SetTold(7, nil), c.SetAnchor(source.Anchor{Commit: "new"}), c.SetTold(9, map[string]uint64{"ops": 11}), c.Overrule(source.Anchor{Commit: "newer"}, source.Word{Who: "ann"})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c = m.cluster(t)
	id, to, _, err := c.Told()
	a, failed := c.Anchor()
	if err != nil || failed != nil || id != 9 || to["ops"] != 11 || a.Commit != "newer" {
		t.Errorf("told up to %d, %v (%v), accepted %+v (%v)", id, to, err, a, failed)
	}
}
