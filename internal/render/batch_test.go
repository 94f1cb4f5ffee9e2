package render

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

func names(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%02d", prefix, i))
	}
	return out
}

// Who finds a free place goes at once and alone.
func TestASingleAppGoesAlone(t *testing.T) {
	s := newStage(t)
	for _, app := range []string{"a", "b"} {
		r := s.get(s.ask(t.Context(), s.shared, app))
		if r.err != nil || !slices.Equal(r.answer.Inputs, []string{app}) || len(r.answer.Notes) != 2 {
			t.Errorf("got %+v, want %s alone", r, app)
		}
	}
}

// Those that wait are rendered by few children, each app with an answer of its own.
func TestWhatWaitsGoesTogether(t *testing.T) {
	s := newStage(t)
	apps := names("ok", 40)
	apps[7] = "reject-07"
	children := map[string]int{}
	for i, out := range s.crowd(s.shared, apps...) {
		r := s.get(out)
		if apps[i] == "reject-07" {
			if fault.Of(r.err) != fault.Rejected || r.err.Error() != "render app reject-07: field reject-07" || fault.Advice(r.err) != "mend it" {
				t.Errorf("got %v (%v, hint %q)", r.err, fault.Of(r.err), fault.Advice(r.err))
			}
			continue
		}
		if r.err != nil || !slices.Equal(r.answer.Inputs, []string{apps[i]}) {
			t.Fatalf("%s: got %+v", apps[i], r)
		}
		children[r.answer.Notes[0]]++
	}
	if len(children) > 1+40/fewest || len(children) < 2 {
		t.Errorf("%d children for 40 apps: %v", len(children), children)
	}
}

// Apps of two revisions, or with other values, never meet in one child.
func TestOnlyTheSameSnapshotIsShared(t *testing.T) {
	s := newStage(t)
	other := &Shared{Root: "/b", Tracked: map[string]string{"x": "y"}}
	apps := names("ok", 20)
	for i, out := range s.crowd(other, apps...) {
		r := s.get(out)
		if r.err != nil {
			t.Fatal(r.err)
		}
		for _, beside := range r.answer.Notes[1:] {
			if j := slices.Index(apps, beside); j%2 != i%2 {
				t.Errorf("%s was rendered beside %s", apps[i], beside)
			}
		}
		if (len(r.answer.Variables) == 1) != (i%2 == 1) {
			t.Errorf("%s was told of %v", apps[i], r.answer.Variables)
		}
	}
}

// What Git has is told to who asks for it only: nobody does for a cluster.
func TestPathsAreNotToldForACluster(t *testing.T) {
	s := newStage(t)
	for _, cluster := range []bool{true, false} {
		shared := &Shared{Kubernetes: cluster, Tracked: map[string]string{"x": "y"}}
		r := s.get(s.ask(t.Context(), shared, "ok"))
		if r.err != nil || (len(r.answer.Variables) == 0) != cluster {
			t.Errorf("cluster %t: %+v", cluster, r)
		}
	}
}

// One bad app stops nobody: the others are answered, and it is judged by what it did
// alone, with limits of its own.
func TestABadAppSpoilsNoOther(t *testing.T) {
	for bad, want := range map[string]struct {
		class fault.Class
		text  string
	}{
		"spin":   {fault.Rejected, "longer than 2s"},
		"gate":   {fault.Unreachable, "longer than 2s"}, // it computes nothing
		"crash":  {fault.Rejected, "boom"},
		"killed": {fault.Unreachable, "killed from outside"},
		"hog":    {fault.Rejected, "render "}, // the race detector has words of its own for it
		"flood":  {fault.Rejected, "longer than 3145728 bytes"},
	} {
		t.Run(bad, func(t *testing.T) {
			s := newStage(t)
			s.Limits.RenderTime = config.Duration(2 * time.Second)
			apps := names("ok", 20)
			apps[3] = bad + "-x"
			for i, out := range s.crowd(s.shared, apps...) {
				r := s.get(out)
				if i == 3 {
					if fault.Of(r.err) != want.class || !strings.Contains(r.err.Error(), want.text) {
						t.Errorf("%s: %v (%v), want %q (%v)", apps[i], r.err, fault.Of(r.err), want.text, want.class)
					}
				} else if r.err != nil || !slices.Equal(r.answer.Inputs, []string{apps[i]}) {
					t.Errorf("%s: %+v", apps[i], r)
				}
			}
			s.rested()
		})
	}
}

// Those that hang hold no place that others wait for.
func TestWhatHangsHoldsNobodyUp(t *testing.T) {
	s := newStage(t)
	release := s.hold()
	if r := s.get(s.ask(t.Context(), s.shared, "ok")); r.err != nil || r.took > 10*time.Second {
		t.Errorf("got %+v, want an answer after about 2 s", r)
	}
	release()
	s.rested()
}

// A caller whose context ends leaves, wherever its app is, and takes nothing from the
// others.
func TestWhoLeavesEndsNothingForOthers(t *testing.T) {
	s := newStage(t)
	stopped := errors.New("superseded")
	ctx, cancel := context.WithCancelCause(t.Context())
	apps := append([]string{"gate-w"}, names("ok", 5)...)
	var out []<-chan result
	release := s.hold()
	for i, app := range apps {
		who := t.Context()
		if i%2 == 0 {
			who = ctx
		}
		out = append(out, s.ask(who, s.shared, app))
		s.waiting(i + 1)
	}
	release()
	s.begun("gate-w")
	cancel(stopped)
	for i := 0; i < len(apps); i += 2 {
		if r := s.get(out[i]); !errors.Is(r.err, stopped) {
			t.Errorf("%s: got %v, want %v", apps[i], r.err, stopped)
		}
	}
	s.open("gate-w")
	for i := 1; i < len(apps); i += 2 {
		if r := s.get(out[i]); r.err != nil || r.answer.Notes[1] != "gate-w" {
			t.Errorf("%s: %+v, want the answer of the child that was under way", apps[i], r)
		}
	}
	s.rested()
}

// Who leaves while it waits is never rendered.
func TestWhoLeavesWhileItWaits(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	release := s.hold()
	out := s.ask(ctx, s.shared, "ok")
	s.waiting(1)
	cancel()
	if r := s.get(out); !errors.Is(r.err, context.Canceled) {
		t.Errorf("got %v", r.err)
	}
	s.waiting(0)
	release()
	s.rested()
	if _, err := os.Stat(filepath.Join(s.dir, "ok")); err == nil {
		t.Error("it was rendered")
	}
}

func TestTheChildEndsWithTheLastWhoWaits(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := s.ask(ctx, s.shared, "gate-1")
	pid := s.begun("gate-1")
	cancel()
	if r := s.get(out); !errors.Is(r.err, context.Canceled) || fault.Of(r.err) != fault.Unknown {
		t.Errorf("got %v (%v)", r.err, fault.Of(r.err))
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	if r := s.get(s.ask(ctx, s.shared, "ok")); !errors.Is(r.err, context.Canceled) {
		t.Errorf("after the end: %+v", r)
	}
	s.rested()
}

// A child that does not know what is asked of it is of another version, whatever the
// apps are.
func TestAChildOfAnotherVersion(t *testing.T) {
	s := newStage(t)
	s.shared.Root = "/of-another-version"
	for _, out := range s.crowd(s.shared, names("ok", 20)...) {
		if r := s.get(out); fault.Of(r.err) != fault.Blocked {
			t.Errorf("%s: %v (%v), want it to be blocked", r.app, r.err, fault.Of(r.err))
		}
	}
	s.rested()
}

func TestPatience(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{
		time.Minute: 6 * time.Second, 5 * time.Second: time.Second, 500 * time.Millisecond: 500 * time.Millisecond,
	} {
		if got := patience(limit); got != want {
			t.Errorf("of %v: %v, want %v", limit, got, want)
		}
	}
}
