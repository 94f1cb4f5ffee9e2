package reconcile_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/verify"
)

// verified is a repository that looks at signatures: of all commits but those that
// somebody distrusts.
type verified struct {
	*repo
	mu       sync.Mutex
	distrust map[string]bool
	accepted string
}

// verified makes the world's repository one.
func (w *world) verified() *verified {
	v := &verified{repo: w.repo, distrust: map[string]bool{}}
	w.restart(v.source)
	return v
}

func (v *verified) source(o *reconcile.Options) { o.Source = v }

// believe says whether a commit, by its number, is believed from now on.
func (v *verified) believe(n int, yes bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.distrust[commitName(n)] = !yes
}

func (v *verified) Vouch(_ context.Context, commit string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.distrust[commit] {
		return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("revision %s is %w: it is signed by eve", commit, source.ErrNotAccepted)), "find out who eve is")
	}
	return nil
}

func (v *verified) Resolve(ctx context.Context) (string, error) {
	commit, err := v.repo.Resolve(ctx)
	if err != nil {
		return "", err
	}
	return commit, v.Vouch(ctx, commit)
}

func (v *verified) Load(ctx context.Context, commit string) (source.Snapshot, error) {
	if err := v.Vouch(ctx, commit); err != nil {
		return source.Snapshot{}, err
	}
	s, err := v.repo.Load(ctx, commit)
	s.Revision.Signer = verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Key: "SHA256:ann"}
	return s, err
}

func (v *verified) Remotes() []source.RemoteStatus { return nil }

func (v *verified) Accept(commit string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.accepted = commit
	return nil
}

func (v *verified) Accepted(ctx context.Context) (source.Snapshot, error) {
	v.mu.Lock()
	commit := v.accepted
	v.mu.Unlock()
	if commit == "" {
		return source.Snapshot{}, fs.ErrNotExist
	}
	return v.repo.Load(ctx, commit)
}

func (v *verified) AcceptRewrite(string, source.Word) (string, error) { return "", nil }

var _ reconcile.Remotes = (*verified)(nil)

// rejects fails the test unless a person's sync ends in the rejection.
func (w *world) rejects() {
	w.t.Helper()
	_, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{}, nil)
	if !strings.Contains(fmt.Sprint(err), "is signed by eve") || fault.Of(err) != fault.Rejected {
		w.t.Errorf("sync ended with %v, want the rejection", err)
	}
}

// A revision that is not signed as it has to be never gets as far as the renderer,
// and what runs is looked after as ever.
func TestOnlyVerifiedSourcesAreApplied(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		v := w.verified()
		w.repo.shop(healthy("v1"))
		var told []string
		w.restart(v.source, func(o *reconcile.Options) {
			o.Hear = func(e reconcile.Event) {
				if strings.HasPrefix(e.Text, "rejected: ") {
					told = append(told, e.Text)
				}
			}
		})
		stop := w.background()
		later(time.Minute)
		w.runs("web", "v1")
		v.believe(1, false)
		w.repo.shop(healthy("v2"))
		w.repo.forget()
		later(10 * time.Minute)
		if _, rendered := w.repo.asked(); rendered != 0 {
			t.Errorf("it was rendered %d times", rendered)
		}
		if len(told) != 1 || !strings.Contains(told[0], commitName(1)) || !strings.Contains(told[0], "signed by eve") {
			t.Errorf("told %q, want it once, with commit and signer", told)
		}
		w.target.Vanish(key("web"))
		later(11 * time.Minute)
		w.runs("web", "v1")
		w.rejects()
		st, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if st.SourceOutcome != reconcile.Rejected || !strings.Contains(st.SourceError, "signed by eve") || st.SourceHint != "find out who eve is" || st.Apps[0].Status != reconcile.Synced {
			t.Errorf("status %+v", st)
		}
		if signer := st.Revision.Signer; signer.Name != "ann@example.com" || st.Apps[0].Good.Signer != signer {
			t.Errorf("signed by %v and %v", signer, st.Apps[0].Good.Signer)
		}
		v.believe(1, true)
		later(6 * time.Minute)
		w.runs("web", "v2")
		stop()
	})
}

// Revoking a key takes nothing down: what is good stays, and is looked after. Nothing
// else is taken from a revision that would not be accepted any more.
func TestWhatIsNoLongerBelievedKeepsRunningAndBringsNothingNew(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		v := w.verified()
		no := false
		shop := func(image string) {
			w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy(image)}, config: config.App{Sync: config.Sync{Auto: &no}}}})
		}
		shop("v1")
		w.ends(reconcile.Applied)
		shop("v2")
		stop := w.background()
		later(6 * time.Minute)
		w.runs("web", "v1") // it waits for a person
		v.believe(1, false)
		later(6 * time.Minute)
		w.rejects()
		w.runs("web", "v1")
		stop()
		w.restart(v.source)
		w.repo.forget()
		stop = w.background()
		later(time.Minute)
		w.target.Vanish(key("web"))
		later(11 * time.Minute)
		w.runs("web", "v1")
		if _, rendered := w.repo.asked(); rendered != 0 {
			t.Errorf("after the restart it was rendered %d times", rendered)
		}
		if s := w.status(); s.Outcome != reconcile.Rejected || !strings.Contains(s.Reason, "signed by eve") {
			t.Errorf("the app is %s: %s", s.Outcome, s.Reason)
		}
		v.believe(1, true)
		later(11 * time.Minute)
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
		stop()
	})
}

// The way back is on this host: it needs neither Git nor anybody's signature.
func TestRollbackNeedsNoSignatureOfToday(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		v := w.verified()
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		v.believe(0, false)
		v.believe(1, false)
		w.act("rollback", reconcile.ActRequest{})
		w.runs("web", "v1")
		w.restart(v.source)
		stop := w.background()
		later(time.Minute)
		w.target.Vanish(key("web"))
		later(11 * time.Minute)
		w.runs("web", "v1")
		stop()
	})
}
