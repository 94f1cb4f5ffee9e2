package show_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

func drifted() reconcile.Status {
	opened := now.Add(-90 * time.Minute)
	incident := &reconcile.IncidentStatus{ID: "shop#3", Incident: state.Incident{
		Number: 3, Opened: opened, Seen: now, Revision: second, More: 2,
		Findings: []state.Finding{
			{Key: web("1"), Class: "modified", First: opened, Last: now, More: 7, By: hostile, Fields: []state.Field{{Path: "environment.X", Want: "1", Live: hostile, First: opened}}},
			{Key: web("2"), Class: "extra", Reason: hostile, First: now.Add(-time.Minute), Last: now, Fought: now},
		},
	}}
	ignored := []reconcile.IgnoredField{{Key: web("1"), Ignored: drift.Ignored{Change: drift.Change{Path: "limits.cpu", Want: "1", Live: "4"}, Rule: hostile}}}
	return reconcile.Status{Host: "berlin-1", Agent: true, Apps: []reconcile.AppStatus{
		{Name: "auth", Status: reconcile.Synced}, {Name: "blog", Status: reconcile.Synced, Ignored: ignored},
		{Name: "shop", Owner: "shop team", Status: reconcile.OutOfSync, Outcome: reconcile.Pending, Incident: incident, Hint: "sync.selfHeal is false; to repair it: syncd sync shop"},
	}}
}

func TestDriftIsToldObjectByObject(t *testing.T) {
	golden(t, "drift.txt", style().Drift(drifted()))
}

func TestHistoryOfDriftHasItsDurationAndBlamesNoAuthor(t *testing.T) {
	text := style().History([]state.Entry{{
		App: "shop", At: now, Kind: "drift", Outcome: "resolved", Incident: "shop#3", Revision: second,
		Reason: "repaired by syncd", Duration: resource.Duration(90 * time.Minute),
	}}, 10)
	if !strings.Contains(text, "1h30m0s") || !strings.Contains(text, "shop#3: repaired by syncd") || strings.Contains(text, second.Author) {
		t.Error(text)
	}
}
