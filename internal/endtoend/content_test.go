package endtoend_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

const configured = `
services:
  web:
    image: IMAGE
    configs: [{source: page, target: /page}]
    volumes: ["./site:/site:ro"]
    PROBE
  other:
    image: IMAGE
    PROBE
configs:
  page: {file: ./page.txt}
`

func TestConfigContentAloneReplacesTheContainer(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("page.txt", "one")
	h.write("site/index.html", "one")
	h.deploy(configured)
	h.want(h.sync(), reconcile.Applied)
	was, other := h.one("web").ID, h.one("other").ID
	for name, target := range map[string]string{"page.txt": "/page", "site/index.html": "/site/index.html"} {
		h.write(name, "two")
		h.merge("change " + name)
		res := h.want(h.sync(), reconcile.Applied)
		is := h.one("web").ID
		if is == was {
			t.Errorf("%s changed, and the container is the old one\n%s", name, res.Report)
		}
		if got := h.read(is, target); got != "two" {
			t.Errorf("%s holds %q, want what Git has", target, got)
		}
		was = is
	}
	if h.one("other").ID != other {
		t.Error("a service without that file was replaced")
	}
	h.settled()
}

// read returns the content of a file as a container sees it: through the
// engine's own view of its mounts.
func (h *host) read(id, target string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	in, err := h.api.ContainerInspect(ctx, id)
	h.must(err)
	for _, m := range in.Mounts {
		if rest, ok := strings.CutPrefix(target, m.Destination); ok && (rest == "" || rest[0] == '/') {
			data, err := os.ReadFile(m.Source + rest)
			h.must(err)
			return string(data)
		}
	}
	h.t.Fatalf("%s is mounted nowhere: %v", target, in.Mounts)
	return ""
}

func TestEditedReadmeReplacesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("page.txt", "one")
	h.write("site/index.html", "one")
	h.deploy(configured)
	h.want(h.sync(), reconcile.Applied)
	h.write("README.md", "how to use it")
	commit := h.merge("explain it")
	h.untouched(func() {
		res := h.sync()
		h.want(res, reconcile.Unchanged)
		if res.Revision.Commit != commit {
			t.Errorf("it speaks of %s, want %s: that asks for what runs", res.Revision.Commit, commit)
		}
	})
}

func TestUnrelatedCommitCostsTheEngineNoMoreThanALook(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	p := newProxy(t)
	h.engine = p.address
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	if len(changing(p.take())) == 0 {
		t.Fatal("the proxy saw no deploy")
	}
	h.place("docs/README.md", "nothing that an app reads")
	h.merge("write docs")
	h.want(h.sync(), reconcile.Unchanged)
	calls := p.take()
	if bad := changing(calls); len(bad) > 0 {
		t.Errorf("an unrelated commit made these calls: %s", strings.Join(bad, ", "))
	}
	if len(calls) == 0 {
		t.Error("nobody looked")
	}
}

func TestIdleAgentLeavesTheEngineAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	p := newProxy(t)
	h.engine = p.address
	quiet := strings.Replace(web, "PROBE", "", 1) // without probes there are no events
	h.deploy(quiet)
	polls := make(chan struct{}, 100)
	h.run(func(o *reconcile.Options) { o.Source = counted{o.Source, polls} })
	h.awaitOutcome(0, reconcile.Applied)
	h.passesOf(polls, 5) // what the deploy's own events woke comes to rest
	p.take()
	h.passesOf(polls, 5)
	if calls := p.take(); len(calls) > 0 {
		t.Errorf("five polls without news made these engine calls: %s", strings.Join(calls, ", "))
	}
}

// counted tells of every poll.
type counted struct {
	reconcile.Source
	polls chan<- struct{}
}

func (c counted) Resolve(ctx context.Context) (string, error) {
	select {
	case c.polls <- struct{}{}:
	default:
	}
	return c.Source.Resolve(ctx)
}

// passesOf waits for so many polls.
func (h *host) passesOf(polls <-chan struct{}, n int) {
	h.t.Helper()
	for range n {
		select {
		case <-polls:
		case <-time.After(passLimit):
			h.t.Fatal("the agent does not poll")
		}
	}
}
