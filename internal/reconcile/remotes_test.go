package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
)

// held is a repository in memory that remembers what was accepted, and may refuse
// what is new.
type held struct {
	*repo
	world    *world
	mu       sync.Mutex // guards what follows
	accepted string
	// learnt are the commits whose history it knows, studied is how often it tried.
	learnt  []string
	studied int
	// study is what learning takes; nil is nothing.
	study   func(context.Context) error
	remotes []source.RemoteStatus
	refused string
	cold    bool // nothing of it is on this host
}

func (h *held) Resolve(ctx context.Context) (string, error) {
	commit, err := h.repo.Resolve(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && commit == h.refused {
		return "", fault.As(fault.Blocked, fmt.Errorf("branch main is at %.10s, which does not descend from %.10s", commit, h.accepted))
	}
	return commit, err
}

func (h *held) Accept(commit string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.accepted = commit
	return nil
}

func (h *held) Accepted(ctx context.Context) (source.Snapshot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.accepted == "" || h.cold {
		return source.Snapshot{}, fs.ErrNotExist
	}
	return h.Load(ctx, h.accepted)
}

func (h *held) AcceptRewrite(digits string, by source.Word) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refused == "" || digits != h.refused {
		return "", fault.As(fault.Rejected, errors.New("no remote has it"))
	}
	if err := h.world.store.Overrule(source.Anchor{Commit: digits, At: time.Now()}, by); err != nil {
		return "", err
	}
	h.accepted, h.refused = h.refused, ""
	return h.accepted, nil
}

func (h *held) Remotes() []source.RemoteStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.remotes)
}

func (h *held) Learn(ctx context.Context) error {
	h.mu.Lock()
	commit, study := h.accepted, h.study
	h.mu.Unlock()
	var err error
	if study != nil {
		err = study(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.studied++; err == nil {
		h.learnt = append(h.learnt, commit)
	}
	return err
}

func (h *held) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// holding runs a test with such a repository.
func holding(t *testing.T, test func(t *testing.T, w *world, h *held)) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		h := &held{repo: w.repo, world: w}
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = h, h })
		test(t, w, h)
	})
}

func TestWhatIsFollowedIsAcceptedAndLearnt(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		if h.accepted != commitName(1) || !slices.Equal(h.learnt, []string{commitName(0), commitName(1)}) {
			t.Errorf("accepted is %s, learnt %v", h.accepted, h.learnt)
		}
	})
}

// TestARefusedRevisionChangesNothing: what runs stays, and its drift is repaired,
// after a restart, too.
func TestARefusedRevisionChangesNothing(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		h.set(func() { h.refused = commitName(1) })
		_, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil)
		if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "does not descend") {
			t.Fatalf("sync ends with %v", err)
		}
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = h, h })
		stop := w.background()
		later(time.Minute)
		w.must(w.target.Remove(t.Context(), key("web"), w.runs("web", "v1").Ref)) // somebody does
		later(11 * time.Minute)
		w.runs("web", "v1")
		st, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if !strings.Contains(st.SourceError, "does not descend") || st.Revision.Commit != commitName(0) || len(st.Apps) != 1 {
			t.Errorf("status is %+v", st)
		}
		stop()
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = h, h })
		h.set(func() { h.cold = true })
		defer w.background()()
		later(time.Minute)
		w.runs("web", "v1")
	})
}

// TestDriftIsRepairedWithGitDownFromTheStart: the last accepted revision is known.
func TestDriftIsRepairedWithGitDownFromTheStart(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = h, h })
		defer w.background()()
		later(time.Minute)
		w.must(w.target.Remove(t.Context(), key("web"), w.runs("web", "v1").Ref)) // somebody does
		later(11 * time.Minute)
		w.runs("web", "v1")
	})
}

func TestAPersonAcceptsARewrite(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		forced := commitName(1)
		h.set(func() { h.refused = forced })
		ask := func(digits string) ([]reconcile.Result, error) {
			return w.agent.Sync(t.Context(), reconcile.SyncRequest{Who: "ann", AcceptRewrite: digits, Reason: "the tag\nwas wrong"}, nil)
		}
		if _, err := ask("abc"); fault.Of(err) != fault.Rejected {
			t.Errorf("another one: %v", err)
		}
		res, err := ask(forced)
		w.must(err)
		if res[0].Outcome != reconcile.Applied {
			t.Errorf("the pass ended %s (%s)", res[0].Outcome, res[0].Reason)
		}
		w.runs("web", "v2")
		told := w.acceptances("shop")
		if len(told) != 1 || told[0].Who != "ann" || told[0].Revision.Commit != forced || !said(told[0].Reason).has("the tag was wrong", "does not follow") {
			t.Errorf("the history says %+v", told)
		}
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer, o.ReadOnly = h, h, true })
		if _, err := ask(forced); fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("a read-only agent: %v", err)
		}
	})
}

// TestTroubleWithAMirrorIsToldOnce: and its end.
func TestTroubleWithAMirrorIsToldOnce(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		var mu sync.Mutex
		var told []string
		w.restart(func(o *reconcile.Options) {
			o.Source, o.Renderer = h, h
			o.Hear = func(e reconcile.Event) {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasPrefix(e.Text, "remote ") {
					told = append(told, e.Text)
				}
			}
		})
		w.repo.shop(healthy("v1"))
		becomes := func(state source.RemoteState, head, reason string) {
			h.set(func() {
				h.remotes = []source.RemoteStatus{{Name: "https://a/r", State: state, Head: head, Reason: reason}, {Name: "https://b/r", State: source.RemoteServing}}
			})
			later(2 * time.Minute)
		}
		defer w.background()()
		becomes(source.RemoteServing, "1", "")
		becomes(source.RemoteUnreachable, "1", "no route")
		becomes(source.RemoteUnreachable, "1", "no route to host 2")
		becomes(source.RemoteDiverged, "2", "another history")
		becomes(source.RemoteDiverged, "3", "one more history")
		becomes(source.RemoteServing, "3", "")
		want := []string{
			"remote https://a/r is unreachable: no route", "remote https://a/r is diverged: another history",
			"remote https://a/r is diverged: one more history", "remote https://a/r serves again",
		}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(told, want) {
			t.Errorf("told was\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}
