package endtoend_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	ggcr "github.com/google/go-containerregistry/pkg/registry"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// shelf is a registry on a loopback port, which may be shut.
type shelf struct {
	address string
	shut    atomic.Bool
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s, store := &shelf{}, ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.shut.Load() {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.address = strings.TrimPrefix(server.URL, "http://")
	return s
}

// put builds an image of its own, and leaves it in the registry alone. It returns
// its name and its ID.
func (h *host) put(s *shelf, name string) (ref, id string) { return h.putLike(s, name) }

// putLike does the same with an image that has these lines, too.
func (h *host) putLike(s *shelf, name string, lines ...string) (ref, id string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), dockertest.Limit)
	defer cancel()
	ref = dockertest.ImageNamed(h.t, s.address+"/"+h.project+":"+name, lines...)
	id = dockertest.ImageID(h.t, ref)
	stream, err := h.api.ImagePush(ctx, ref, image.PushOptions{RegistryAuth: base64.StdEncoding.EncodeToString([]byte("{}"))})
	h.must(err)
	defer stream.Close()
	if text, err := io.ReadAll(stream); err != nil || strings.Contains(string(text), `"error"`) {
		h.t.Fatalf("push %s: %v: %s", ref, err, text)
	}
	_, err = h.api.ImageRemove(ctx, ref, image.RemoveOptions{Force: true, PruneChildren: true})
	h.must(err)
	return ref, id
}

// kept are the names of those images that the engine has.
func (h *host) kept(ids map[string]string) string {
	h.t.Helper()
	var names []string
	for _, name := range []string{"v1", "v2", "v3", "bad", "v4"} {
		if _, err := h.api.ImageInspect(h.t.Context(), ids[name]); err == nil {
			names = append(names, name)
		} else if !cerrdefs.IsNotFound(err) {
			h.t.Fatal(err)
		}
	}
	return strings.Join(names, " ")
}

// cli runs a verb of the real program, and fails the test unless it ends with
// this code. It returns what was printed.
func (h *host) cli(code int, args ...string) string {
	h.t.Helper()
	agentProgram(h.t) // its building is not what the limit is for
	ctx, cancel := context.WithTimeout(h.t.Context(), passLimit)
	defer cancel()
	out, err := h.syncd(ctx, args...).CombinedOutput()
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		h.must(err)
	}
	if got != code {
		h.t.Fatalf("syncd %s ended with %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

// rollback.keep is how far one can go back without a registry: the images of so
// many good revisions stay, and of what came from the registry nothing else.
func TestImagesOfKeptRevisionsStayAndOlderOnesGo(t *testing.T) {
	t.Parallel()
	h, s := newHost(t), newShelf(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nrollback: {keep: 2}\n")
	ids, commits := map[string]string{}, map[string]string{}
	for _, name := range []string{"v1", "v2", "v3", "bad", "v4"} {
		ref, id := h.put(s, name)
		ids[name] = id
		compose, code := strings.Replace(version(web, name), "IMAGE", ref, 1), 0
		if name == "bad" {
			compose, code = strings.Replace(web, "IMAGE", ref+"\n    command: [-exit, \"7\"]", 1), 3
		}
		commits[name] = h.deploy(compose)
		h.cli(code, "sync")
	}
	if got, want := h.kept(ids), "v2 v3 v4"; got != want {
		t.Errorf("here are %s, want %s", got, want)
	}

	s.shut.Store(true)
	for _, c := range []struct{ args, runs string }{
		{"rollback", "v3"}, {"resume", "v4"}, {"rollback " + commits["v2"][:10], "v2"}, {"rollback " + commits["v3"][:10], "v3"}, {"resume", "v4"},
	} {
		args := strings.Fields(c.args)
		h.cli(0, append([]string{args[0], h.project}, args[1:]...)...)
		if is := h.one("web"); is.Image != ids[c.runs] {
			t.Errorf("syncd %s: %s runs, want %s", c.args, is.Image, c.runs)
		}
	}
	out := h.cli(1, "rollback", h.project, commits["v1"][:10])
	for _, part := range []string{fmt.Sprintf("no good revision %q", commits["v1"][:10]), commits["v3"][:10], "rollback.keep"} {
		if !strings.Contains(out, part) {
			t.Errorf("it does not say %q:\n%s", part, out)
		}
	}
	if got, want := h.kept(ids), "v2 v3 v4"; got != want {
		t.Errorf("in the end, here are %s, want %s", got, want)
	}
}
