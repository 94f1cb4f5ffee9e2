package reconcile

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/resource"
)

// What cannot be reached is not asked by everybody at the same moment.
func TestRetriesAreSpread(t *testing.T) {
	for retries, most := range map[int]time.Duration{1: time.Second, 4: 8 * time.Second, 100: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			pause := (&worker{retries: retries}).pause()
			if pause < most/2 || pause > most {
				t.Errorf("after %d tries it waits %s, want between %s and %s", retries, pause, most/2, most)
			}
			seen[pause] = true
		}
		if len(seen) < 10 {
			t.Errorf("after %d tries there are only %d different pauses", retries, len(seen))
		}
	}
}

// A slot is as the instance that serves: what is left of a failed attempt beside
// it, older or newer, does not count.
func TestSlotFeelsAsWhatServes(t *testing.T) {
	key := resource.Key{Kind: "container", Namespace: "web", Name: "1"}
	serves := resource.Instance{Running: true, Health: resource.Health{State: resource.Well}}
	left := resource.Instance{Health: resource.Health{State: resource.Failed}}
	for name, live := range map[string][]resource.Instance{"newer": {left, serves}, "older": {serves, left}} {
		p := resource.Pair{Key: key, Live: live}
		if got := healthOf([]resource.Pair{p})[key].State; got != resource.Well {
			t.Errorf("with a %s one beside it, the slot is %s before an attempt", name, got)
		}
		if got := stateOf(p); got != resource.Well {
			t.Errorf("with a %s one beside it, the slot is %s in status", name, got)
		}
	}
	if got := stateOf(resource.Pair{Key: key, Live: []resource.Instance{left}}); got != resource.Failed {
		t.Errorf("a slot where nothing serves is %s", got)
	}
	if _, known := healthOf([]resource.Pair{{Key: key}})[key]; known {
		t.Error("an empty slot has a health")
	}
}
