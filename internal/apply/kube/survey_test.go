package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/drift"
)

// A second with many questions makes the next one begin with a list; after a lull each
// is asked for by itself again.
func TestManyQuestionsAreExpectedToGoOn(t *testing.T) {
	s, now := &survey{}, time.Now()
	listed := func(questions int) (n int) {
		for range questions {
			if _, many := s.count(now); many {
				n++
			}
		}
		return n
	}
	for i, c := range []struct {
		pause           time.Duration
		questions, want int
	}{
		{0, surveyFrom + 3, 3},
		{surveyWithin + time.Millisecond, 3, 3}, // they go on
		{surveyWithin + time.Millisecond, 3, 0}, // they were few
		{surveyWithin + time.Millisecond, surveyFrom + 1, 1},
		{surveyWithin + surveyLull, surveyFrom, 0},
		{surveyWithin + time.Millisecond, surveyFrom + 1, 1}, // the list that came of it was short
		{surveyWithin + time.Millisecond, 2, 2},
		{surveyWithin + time.Millisecond, 1, 1},
		{surveyWithin + time.Millisecond, 1, 0},
	} {
		now = now.Add(c.pause)
		s.short = i > 5
		if got := listed(c.questions); got != c.want {
			t.Errorf("%d: %d of %d questions call for a list, want %d", i, got, c.questions, c.want)
		}
	}
}

// A list that takes its time is not asked for again and again.
func TestASlowListHoldsLonger(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		10 * time.Millisecond:  surveyHolds,
		100 * time.Millisecond: 4 * time.Second,
		time.Minute:            surveyLong,
	} {
		if got := holdsFor(took); got != want {
			t.Errorf("a list that took %s holds %s, want %s", took, got, want)
		}
	}
}

// A list of names that was asked for before an object was put says nothing of it: one
// that loses its label a moment later has not gone.
func TestAListOfNamesSaysNothingOfWhatWasPutSince(t *testing.T) {
	p := newPlace(t)
	var maps []string
	for i := range surveyFrom + 4 {
		maps = append(maps, fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-%d}\ndata: {colour: blue}", i))
	}
	text := strings.Join(maps, "\n---\n")
	p.deploy(p.set(text))
	p.engine.mu.Lock()
	listed := 0
	for _, s := range p.engine.surveys {
		if s.all != nil {
			listed++
			s.until = time.Now().Add(time.Minute) // it still holds
		}
	}
	p.engine.mu.Unlock()
	if listed == 0 {
		t.Fatal("no list was asked for")
	}
	p.edit(configMaps, "map-3", `{"metadata":{"labels":{"syncd.io/agent":null}}}`)
	report := p.until(text, func(r drift.Report) bool { return !r.InSync() })
	if got := report.String(); !strings.Contains(got, "metadata.labels.syncd.io/agent") || strings.Contains(got, "missing") {
		t.Errorf("it is reported as\n%s", got)
	}
}

// What is ours is watched: of a thousand apps none has its names listed for the others.
func TestOurOwnNamesAreNotListed(t *testing.T) {
	p := newPlace(t)
	set := p.set("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ours}\ndata: {colour: blue}")
	p.deploy(set)
	p.do("POST", "/api/v1/namespaces/"+p.namespace+"/configmaps", map[string]any{"metadata": map[string]any{"name": "theirs"}}, p.access)
	id, err := p.target.identity()
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.target.wanted(t.Context(), set[0])
	if err != nil {
		t.Fatal(err)
	}
	at := scope{kind: w.kind, namespace: p.namespace}
	s := p.engine.surveyed(at)
	p.waitFor(func() bool { // the list comes from a cache
		if err := s.learn(t.Context(), p.engine, placeOf(id, at)); err != nil {
			t.Fatal(err)
		}
		return s.all.names["theirs"]
	})
	if s.all.names["ours"] {
		t.Errorf("listed were %v", s.all.names)
	}
}
