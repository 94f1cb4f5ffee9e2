package source_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// stingy is a server that names commits and, while after is not empty, gives out none:
// it wants to be left alone for so long.
type stingy struct {
	*site
	after atomic.Value
	packs atomic.Int64
}

func serveStingy(t *testing.T, g *repo) *stingy {
	t.Helper()
	s := &stingy{}
	s.after.Store("")
	s.site = serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			after, _ := s.after.Load().(string)
			if strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				s.packs.Add(1)
				if after != "" {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Retry-After", after)
					http.Error(w, "slow down", http.StatusTooManyRequests)
					return
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	return s
}

// asked fails the test unless the server was asked so often since this was called last.
func (s *stingy) asked(t *testing.T, what string, requests, packs int64) {
	t.Helper()
	if r, p := s.requests.Swap(0), s.packs.Swap(0); r != requests || p != packs {
		t.Errorf("%s: %d requests, %d of them for packs; want %d and %d", what, r, p, requests, packs)
	}
}

// loads fails the test unless the commit's files cannot be had, for this reason.
func (h *host) loads(what string, class fault.Class, texts ...string) {
	h.t.Helper()
	commit, err := h.repo.Resolve(h.t.Context())
	if err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	_, err = h.repo.Load(h.t.Context(), commit)
	for _, text := range texts {
		wantFault(h.t, err, class, text, "")
	}
}

func TestAServerThatGivesNoPacksNowIsLeftAlone(t *testing.T) {
	g := newRepo(t)
	head := g.commit("first")
	busy := serveStingy(t, g)
	busy.after.Store("600")
	h := newHost(t, busy.URL, nil)
	h.loads("at first", fault.Unreachable, "429", "left alone for 10m0s")
	busy.asked(t, "at first", 3, 1) // the ref, and what the server can, before the pack
	h.refuses("at the next poll", fault.Unreachable, "429", "left alone for 10m0s")
	if _, err := h.repo.Load(t.Context(), head); err == nil {
		t.Error("it was loaded")
	} else {
		wantFault(t, err, fault.Unreachable, "left alone", "")
	}
	if _, err := h.repo.ResolveRef(t.Context(), "main"); err == nil {
		t.Error("somebody else was not told to wait")
	} else {
		wantFault(t, err, fault.Unreachable, "left alone", "")
	}
	h.later(9 * time.Minute)
	h.refuses("after nine minutes", fault.Unreachable, "left alone")
	busy.asked(t, "meanwhile", 0, 0)
	busy.after.Store("999999999")
	h.later(2 * time.Minute)
	h.loads("when its time is over", fault.Unreachable, "15m0s") // that is the longest
	busy.after.Store("")
	h.later(15 * time.Minute)
	h.takes("when it gives again", head)
	h.states("when it gives again", "serving")
	busy.after.Store("600")
	g.commit("second")
	h.refuses("when it does not even give history", fault.Unreachable, "left alone")
	busy.after.Store("")
	h.repo.Forget()
	h.takes("when somebody asks", g.git("rev-parse", "HEAD"))
}

// TestWhereOneGivesNoPacksAnotherIsAsked, and the one in peace until it is time.
func TestWhereOneGivesNoPacksAnotherIsAsked(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	busy, mirror := serveStingy(t, g), serveStingy(t, g)
	h := newHost(t, busy.URL, []string{mirror.URL})
	h.takes("at first", first)
	h.states("at first", "serving standby")
	mirror.asked(t, "at first", 0, 0)
	busy.after.Store("600")
	busy.asked(t, "at first", busy.requests.Load(), busy.packs.Load())
	h.takes("while it gives no packs", g.commit("second")) // how it stands to the first is asked first
	busy.asked(t, "while it gives no packs", 3, 1)
	h.states("while it gives no packs", "unreachable standby")
	if r := h.repo.Remotes()[0]; !strings.Contains(r.Reason, "left alone for 10m0s") || r.Until.IsZero() {
		t.Errorf("of it is said %+v", r)
	}
	for i := range 3 {
		h.later(2 * time.Minute)
		h.takes("in its time", g.commit(fmt.Sprint("more ", i)))
		h.states("in its time", "unreachable serving")
	}
	busy.asked(t, "in its time", 0, 0)
	busy.after.Store("")
	h.later(5 * time.Minute)
	h.takes("when its time is over", g.commit("last"))
	h.states("when its time is over", "serving standby")
}
