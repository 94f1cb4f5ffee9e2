package source_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/source"
)

// What came before a revision is learnt when nobody needs the object store: a server
// that hangs meanwhile keeps nobody from what is new.
func TestLearningGivesWayToWhatIsFollowed(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	var hangs atomic.Bool
	hanging, release := make(chan struct{}, 1), make(chan struct{})
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "git-upload-pack") && hangs.CompareAndSwap(true, false) {
				hanging <- struct{}{}
				<-release
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	h := newHost(t, s.URL, nil)
	defer close(release)
	h.brings(t.Context(), "at first", g.commit("second"))
	hangs.Store(true)
	learnt := make(chan error, 1)
	go func() { learnt <- h.repo.Learn(t.Context()) }()
	select {
	case <-hanging:
	case err := <-learnt:
		t.Fatalf("nothing was asked for: %v", err)
	}
	h.brings(t.Context(), "while it is learnt", g.commit("third"))
	if err := <-learnt; !errors.Is(err, source.ErrGivesWay) {
		t.Errorf("it ended with %v", err)
	}
	if err := h.repo.Learn(t.Context()); err != nil {
		t.Errorf("once nobody needs the store: %v", err)
	}
}
