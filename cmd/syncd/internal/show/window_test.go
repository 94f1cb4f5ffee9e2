package show_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// What waits for its window says so once; what would, if it had anything to do, says
// that the window is closed.
func TestStatusTellsOfWindows(t *testing.T) {
	closed := &reconcile.Window{Until: now.Add(10 * time.Hour), Which: `outside of allow "0 22 * * *" UTC for 6h`}
	open := &reconcile.Window{Open: true, Heal: true, Until: now.Add(time.Hour), Which: `allow "0 6 * * *" UTC for 7h`}
	golden(t, "windows.txt", style().Status(reconcile.Status{
		Host: "berlin-1", Agent: true, Revision: first,
		Apps: []reconcile.AppStatus{
			{Name: "shop", Status: reconcile.WBlocked, Health: reconcile.Healthy, Good: first, Wanted: second, Outcome: reconcile.Blocked, Cause: reconcile.CauseWindow, Window: closed,
				Reason: "pending 9f8e7d6c9f, waiting for its window: " + closed.String(), Hint: "to go through it: syncd sync shop --force --reason TEXT"},
			{Name: "blog", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Window: closed},
			{Name: "mail", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Window: open},
			{Name: "wiki", Status: reconcile.OutOfSync, Health: reconcile.Healthy, Good: first, Wanted: second, Outcome: reconcile.Pending,
				Reason: "pending 9f8e7d6c9f, waiting for: syncd sync wiki (sync.auto is false)", Hint: "syncd sync wiki"},
		},
	})+"\n"+style().History([]state.Entry{
		{At: now, Kind: "sync", Outcome: "applied", Revision: second, Duration: resource.Duration(3 * time.Second)},
		{At: now, Kind: "force", Who: "ann", Outcome: "force", Revision: second, Reason: "the till is down; the window is " + closed.String()},
	}, 20))
}
