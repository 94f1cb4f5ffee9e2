package source_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// long makes n commits, each with a file of 16 KiB that does not compress in the place of
// the one before, on a server that cannot leave out files; it returns them.
func long(t *testing.T, g *repo, n int) []string {
	t.Helper()
	var in strings.Builder
	content, noise := make([]byte, 16<<10), rand.NewChaCha8([32]byte{})
	for i := range n {
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\ncommitter Bob <bob@example.com> %d +0000\ndata 3\n%03d\n", i+1, 1_600_000_000+60*i, i)
		_, _ = noise.Read(content) // it never fails
		fmt.Fprintf(&in, "M 644 inline file\ndata %d\n%s\n", len(content), content)
	}
	g.gitIn(in.String(), "fast-import", "--quiet")
	g.git("reset", "-q", "--hard", "main")
	return strings.Fields(g.git("rev-list", "--reverse", "main"))
}

// kept is how many bytes of objects a cache has.
func kept(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, ".objects"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestALongMergeIsListed though its branch forked long before what is known, and the
// server sends all files of all commits on the way there: none of them is kept.
func TestALongMergeIsListed(t *testing.T) {
	g := newRepo(t)
	commits := long(t, g, 600)
	g.git("reset", "-q", "--hard", commits[500])
	g.git("checkout", "-q", "-b", "side", commits[50])
	g.next("aside")
	g.git("checkout", "-q", "main")
	g.git("merge", "-q", "--no-ff", "-m", "merge", "side")
	var sent atomic.Int64
	var dir string
	r := follow(t, serve(t, g, weighed(&sent)).URL, plain, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	wantBetween(t, r, commits[500], g.git("rev-parse", "HEAD"), "merge aside")
	wantRelation(t, r, commits[0], commits[500], source.Ahead)
	if all, here := sent.Load(), kept(t, dir); all < 6<<20 || here > 1<<20 {
		t.Errorf("of %d bytes that were sent %d are kept", all, here)
	}
}

func TestAFastForwardOverManyCommitsIsTaken(t *testing.T) {
	for name, l := range map[string]lesser{
		"without filters":            {lacks: []string{"filter"}},
		"without filters or borders": {lacks: []string{"filter", "shallow", "deepen-since", "deepen-not", "deepen-relative"}},
		"where what is there is nothing": {
			lacks: []string{"filter", "agent", "multi_ack_detailed"}, needs: []string{"multi_ack"}, forgetful: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			commits := long(t, g, 600)
			g.git("reset", "-q", "--hard", commits[5])
			h := newHost(t, serve(t, g, l.wrap).URL, nil)
			h.takes("at first", commits[5])
			g.git("reset", "-q", "--hard", commits[599])
			h.takes("594 commits more", commits[599])
		})
	}
}

// TestAMirrorThatIsFarBehindIsStale, and not suspicious, while the server that knows is
// down.
func TestAMirrorThatIsFarBehindIsStale(t *testing.T) {
	g := newRepo(t)
	commits := long(t, g, 600)
	url := serveSwitched(t, g)
	old := g.copyOf(t)
	old.git("reset", "-q", "--hard", commits[300])
	mirror := serve(t, old)
	h := newHost(t, url.URL, []string{mirror.URL})
	h.takes("at first", commits[599])
	url.off.Store(true)
	h.refuses("from the mirror", 1, "older than")
	h.states("from the mirror", "unreachable stale")
}

// TestAHistoryThatIsTooLongIsNotTold: what a server may send is bounded, and nobody
// takes it for an answer that it sent more.
func TestAHistoryThatIsTooLongIsNotTold(t *testing.T) {
	g := newRepo(t)
	commits := long(t, g, 600)
	other := newRepo(t)
	unrelated := other.next("unrelated")
	var asked atomic.Int64
	s := serve(t, g, func(h http.Handler) http.Handler { return packs(&asked, nil)(h) })
	r := follow(t, s.URL, plain, func(o *source.Options) { o.Limits.FetchDisk = 1 << 20 })
	if _, err := r.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRelation(t, r, unrelated, commits[599], source.Unknown)
	if n := asked.Load(); n > 3 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestHistoryThatWasCutShortIsAskedForAgain: a server that is slow for a while, or breaks
// a connection, leaves nothing open for good.
func TestHistoryThatWasCutShortIsAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		lesser
		upon  string // in a request, while the trouble lasts
		does  func(http.ResponseWriter, *http.Request)
		texts []string
	}{
		"by its time": {
			lesser{lacks: []string{"filter", "agent", "multi_ack_detailed"}, needs: []string{"multi_ack"}, forgetful: true}, "deepen ",
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, []string{"took longer than", "limits.fetchTime"},
		},
		"by the connection": {lesser{lacks: []string{"filter", "agent"}}, "have ", reset, []string{"connection reset"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			commits := long(t, g, 150)
			g.git("reset", "-q", "--hard", commits[140])
			var trouble atomic.Bool
			s := serve(t, g, c.wrap, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						return // the child has gone
					}
					if r.Body = io.NopCloser(bytes.NewReader(body)); trouble.Load() && bytes.Contains(body, []byte(c.upon)) {
						c.does(w, r)
						return
					}
					h.ServeHTTP(w, r)
				})
			})
			h := newHost(t, s.URL, nil, func(o *source.Options) { o.Limits.FetchDisk = 1 << 20 })
			if name == "by its time" {
				h.restart(func(o *source.Options) {
					o.Limits.FetchDisk, o.Limits.FetchTime = 64<<20, config.Duration(12*time.Second)
				})
			}
			h.brings(t.Context(), "at first", commits[140])
			g.git("reset", "-q", "--hard", commits[149])
			trouble.Store(true)
			h.refuses("meanwhile", fault.Unreachable, c.texts...)
			h.states("meanwhile", "unreachable")
			trouble.Store(false)
			h.brings(t.Context(), "nine commits more", commits[149])
		})
	}
}

// reset breaks the connection.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // what is not sent that way ends the connection in order
	}
	_ = conn.Close()
}
