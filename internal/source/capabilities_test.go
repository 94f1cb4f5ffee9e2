package source_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd.io/syncd/internal/source"
)

// lesser is a server in front of git's that does not have some capabilities: it does not
// name them, and refuses whoever uses them all the same.
type lesser struct {
	lacks []string
	// needs are those that every request has to name.
	needs []string
	// forgetful is set where no request may say what is there already.
	forgetful bool
}

func (l lesser) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "info/refs") {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			maps.Copy(w.Header(), rec.Header())
			w.Header().Del("Content-Length")
			_, _ = w.Write(l.advertise(rec.Body.Bytes()))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the child has gone
		}
		if why := l.refusal(body); why != "" {
			http.Error(w, why, http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	})
}

// advertise takes capabilities out of the line of the first ref, behind its NUL.
func (l lesser) advertise(page []byte) []byte {
	nul := bytes.IndexByte(page, 0)
	if nul < 0 {
		return page
	}
	begin := bytes.Index(page, []byte("\n0000")) + 5 // behind the service's name, and a flush
	size, err := strconv.ParseUint(string(page[begin:begin+4]), 16, 16)
	if err != nil {
		return page
	}
	end := begin + int(size)
	var kept []string
	for _, c := range strings.Fields(string(page[nul+1 : end])) {
		if name, _, _ := strings.Cut(c, "="); !slices.Contains(l.lacks, name) {
			kept = append(kept, c)
		}
	}
	line := string(page[begin+4:nul]) + "\x00 " + strings.Join(kept, " ") + "\n"
	return slices.Concat(page[:begin], fmt.Appendf(nil, "%04x%s", len(line)+4, line), page[end:])
}

// refusal says what a request must not ask for here.
func (l lesser) refusal(request []byte) string {
	text := string(request)
	first, _, _ := strings.Cut(text, "\n")
	used := strings.Fields(first)
	for line, name := range map[string]string{"deepen ": "shallow", "shallow ": "shallow", "filter ": "filter"} {
		if strings.Contains(text, line) {
			used = append(used, name)
		}
	}
	for _, name := range l.lacks {
		if slices.Contains(used, name) {
			return "I do not know " + name
		}
	}
	for _, name := range l.needs {
		if !slices.Contains(used, name) {
			return "clients must support " + name
		}
	}
	if l.forgetful && strings.Contains(text, "have ") {
		return "what you have is nothing to me"
	}
	return ""
}

// follows fails the test unless the host takes a first commit from the server, then
// one more with all that came with it, and knows how the one stands to the other.
func follows(t *testing.T, l lesser) {
	t.Helper()
	g := newRepo(t)
	g.filters()
	for i := range 5 {
		g.write("notes", strings.Repeat("the same in each of them\n", 50)+strconv.Itoa(i))
		g.next(fmt.Sprint("file ", i))
	}
	first := g.git("rev-parse", "HEAD")
	s := serve(t, g, l.wrap)
	h := newHost(t, s.URL, nil)
	h.takes("at first", first)
	g.write("notes", strings.Repeat("the same in each of them\n", 50)+"changed")
	second := g.next("more")
	h.takes("one commit more", second)
	if got := load(t, h.repo); len(got.Files) != 7 {
		t.Errorf("%d files: %q", len(got.Files), files(got))
	}
	g.git("checkout", "-q", "-b", "side", first+"~2")
	g.next("aside")
	g.git("checkout", "-q", "main")
	g.git("merge", "-q", "--no-ff", "-m", "merge", "side")
	h.takes("a merge", g.git("rev-parse", "HEAD"))
	wantRelation(t, h.repo, second, g.git("rev-parse", "HEAD"), source.Ahead)
	g.git("reset", "-q", "--hard", second)
	h.refuses("an older one", 1, "older than")
	h.states("an older one", "stale")
}

// TestNoCapabilityIsNeeded: what a server lacks makes it slower, and nothing else.
func TestNoCapabilityIsNeeded(t *testing.T) {
	shas := []string{"allow-any-sha1-in-want", "allow-reachable-sha1-in-want", "allow-tip-sha1-in-want"}
	for name, lacks := range map[string][]string{
		"all": nil, "filter": {"filter"}, "shallow": {"shallow", "deepen-since", "deepen-not", "deepen-relative"}, "ofs-delta": {"ofs-delta"},
		"thin-pack": {"thin-pack"}, "side-band-64k": {"side-band-64k"}, "any side band": {"side-band-64k", "side-band"},
		"multi_ack": {"multi_ack", "multi_ack_detailed"}, "commits by name": shas, "agent": {"agent"},
		"none": append([]string{
			"filter", "shallow", "deepen-since", "deepen-not", "deepen-relative", "ofs-delta", "thin-pack", "side-band-64k", "side-band",
			"multi_ack", "multi_ack_detailed", "agent", "no-progress", "include-tag", "no-done", "object-format", "symref",
		}, shas...),
	} {
		t.Run(name, func(t *testing.T) { follows(t, lesser{lacks: lacks}) })
	}
}

// TestServersThatForgetWhatIsThere is what Azure DevOps and CodeCommit are like to
// go-git: they insist on multi_ack, and it cannot go on where they answer what is there.
func TestServersThatForgetWhatIsThere(t *testing.T) {
	lacks := []string{"filter", "deepen-since", "deepen-not", "deepen-relative", "agent", "multi_ack_detailed", "no-done", "include-tag",
		"allow-any-sha1-in-want", "allow-reachable-sha1-in-want", "allow-tip-sha1-in-want"}
	for name, lacks := range map[string][]string{"shallow": lacks, "not shallow": append([]string{"shallow"}, lacks...)} {
		t.Run(name, func(t *testing.T) {
			follows(t, lesser{lacks: lacks, needs: []string{"multi_ack"}, forgetful: true})
		})
	}
}
