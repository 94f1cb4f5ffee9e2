package kube

import (
	"testing"
	"time"
)

func TestWhatIsEqualIsAskedForAgainSlowly(t *testing.T) {
	now := time.Now()
	e := entry{UID: "f3", Checked: now}
	if e.stale(now.Add(recheck)) {
		t.Error("it is asked for before its time")
	}
	if !e.stale(now.Add(recheck + 3*time.Hour)) {
		t.Error("it is never asked for again")
	}
	if !(entry{UID: "f3"}).stale(now) {
		t.Error("what was never asked for counts as equal")
	}
}
