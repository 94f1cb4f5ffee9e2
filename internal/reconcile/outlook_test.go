package reconcile_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// ofSource are the outcomes of what the history says of the repository.
func (w *world) ofSource() []string {
	w.t.Helper()
	all, err := w.store.Since(0, 0)
	w.must(err)
	var out []string
	for _, e := range all {
		if e.App == "" && e.Kind == "source" {
			out = append(out, e.Incident+" "+e.Outcome)
		}
	}
	return out
}

func TestTroubleWithTheRepositoryIsInTheHistoryOnceItLasts(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		later(time.Minute)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		later(2 * time.Minute)
		w.repo.fail(nil) // a server that was restarted
		later(time.Hour)
		if got := w.ofSource(); len(got) != 0 {
			t.Errorf("it says %q", got)
		}
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		later(time.Hour)
		stop()
		w.restart()
		stop = w.background()
		defer stop()
		later(time.Hour)
		w.repo.fail(nil)
		later(time.Hour)
		if got, want := w.ofSource(), []string{"source repository unreachable", "source repository recovered"}; !slices.Equal(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
		if all, err := w.agent.History(t.Context(), "shop", 0); err != nil || len(all) != 1 {
			t.Errorf("the shop's own history is %+v, %v", all, err)
		}
	})
}

func TestEachRemotesTroubleIsInTheHistory(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		stand := func(mirror source.RemoteState) {
			h.set(func() {
				h.remotes = []source.RemoteStatus{{Name: "https://git.example", State: source.RemoteServing, Since: time.Now()}, {Name: "https://mirror.example", State: mirror, Since: time.Now(), Reason: "so it is"}}
			})
		}
		stand(source.RemoteServing)
		defer w.background()()
		later(time.Minute)
		for _, s := range []source.RemoteState{source.RemoteStale, source.RemoteServing, source.RemoteUntrusted, source.RemoteDiverged, source.RemoteStandby} {
			stand(s)
			later(10 * time.Minute)
		}
		stand(source.RemoteStale)
		later(time.Hour)
		mirror := "source https://mirror.example "
		if got, want := w.ofSource(), []string{mirror + "unverified", mirror + "diverged", mirror + "recovered", mirror + "stale"}; !slices.Equal(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	})
}

// Trouble ends with the remote that has it, and where another one serves; not as long as
// nobody does.
func TestTroubleWithARemoteEndsWithIt(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		stand := func(all ...source.RemoteStatus) {
			h.set(func() { h.remotes = all })
			later(10 * time.Minute)
		}
		main := func(s source.RemoteState) source.RemoteStatus {
			return source.RemoteStatus{Name: "https://git.example", State: s, Since: time.Now(), Reason: "so it is"}
		}
		mirror := source.RemoteStatus{Name: "https://mirror.example", State: source.RemoteUntrusted, Since: time.Now(), Reason: "so it is"}
		defer w.background()()
		stand(main(source.RemoteUntrusted), mirror)
		stand(main(source.RemoteStandby), mirror)
		if got := w.ofSource(); len(got) != 2 {
			t.Errorf("while nothing is known it says %q", got)
		}
		stand(main(source.RemoteServing))
		stand(main(source.RemoteServing))
		want := []string{"source https://git.example unverified", "source https://mirror.example unverified", "source https://git.example recovered", "source https://mirror.example recovered"}
		if got := w.ofSource(); !slices.Equal(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
	})
}

func TestWhatWaitsForAWindowIsInTheHistoryOnce(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		stop := w.background()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		later(time.Hour)
		stop()
		w.restart(windowed(nightly))
		stop = w.background()
		defer func() { stop() }()
		later(time.Hour)
		if got := w.lines("window"); len(got) != 1 || !said(got[0]).has("pending", "waiting for its window") {
			t.Errorf("it says %q", got)
		}
		stop()
		w.repo.shop(healthy("v3")) // while no agent runs
		w.restart(windowed(nightly))
		stop = w.background()
		later(time.Minute)
		if got := w.lines("window"); len(got) != 2 {
			t.Errorf("of what came while no agent ran it says %q", got)
		}
		w.target.Unreachable(time.Now(), time.Now().Add(time.Hour))
		later(2 * time.Hour)
		if got := w.lines("window"); len(got) != 2 {
			t.Errorf("after an outage it says %q", got)
		}
	}, nightly)
}
