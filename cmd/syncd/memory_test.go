package main

import (
	"runtime/debug"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// percent is how much memory may grow now between two collections.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

func TestMemoryMayGrowWhileTheAgentWorks(t *testing.T) {
	before := percent()
	t.Cleanup(func() { debug.SetGCPercent(before) })
	t.Setenv("GOGC", "")
	m := keepMemory()
	if got := percent(); got != restPercent {
		t.Errorf("at the start it may grow by %d %%", got)
	}
	told := 0
	hear := m.hearing(func(reconcile.Event) { told++ })
	hear(reconcile.Event{})
	hear(reconcile.Event{})
	if got := percent(); got < workPercent || told != 2 {
		t.Errorf("at work it may grow by %d %%, and %d events were told", got, told)
	}
	m.looked = m.looked.Add(-workLook - workEnds)
	m.relax()
	if got := percent(); got != restPercent {
		t.Errorf("at rest it may grow by %d %%", got)
	}
}

func TestMemoryIsKeptAsTheEnvironmentSays(t *testing.T) {
	before := percent()
	t.Cleanup(func() { debug.SetGCPercent(before) })
	t.Setenv("GOGC", "77")
	told := 0
	keepMemory().hearing(func(reconcile.Event) { told++ })(reconcile.Event{})
	if got := percent(); got != before || told != 1 {
		t.Errorf("it may grow by %d %%, and %d events were told", got, told)
	}
}
