package kube

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/resource"
)

// behind is a way to an API server that has just come back, and to a kubelet that is
// behind: watches of pods show nothing, and logs are empty when they are read first.
type behind struct {
	next http.RoundTripper
	logs *atomic.Int64
}

func (b behind) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.Query()
	if query.Get("watch") != "" && strings.HasSuffix(r.URL.Path, "/pods") {
		return silence(r), nil
	}
	if strings.HasSuffix(r.URL.Path, "/log") && b.logs.Add(1) == 1 {
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader("")), Request: r,
		}, nil
	}
	return b.next.RoundTrip(r)
}

// crashes is a job whose only pod says a line, of a length of its own, and fails.
const crashes = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "syncd-test/app:1", env: [{name: CRASH, value: "7"}, {name: SAY, value: "%s"}]}]`

// said returns what a job that was put printed, once it has failed.
func (p *place) said(job resource.Object) []string {
	p.t.Helper()
	p.observe([]resource.Object{job})
	ref, err := p.target.Put(p.t.Context(), job)
	if err != nil {
		p.t.Fatal(err)
	}
	p.waitFor(func() bool {
		h, err := p.target.Health(p.t.Context(), job.Key, ref)
		if err != nil {
			p.t.Fatal(err)
		}
		return h.State == resource.Failed
	})
	lines, err := p.target.Logs(p.t.Context(), job.Key, ref, 20)
	if err != nil {
		p.t.Fatal(err)
	}
	return lines
}

func TestWhatAFailedJobSaidIsReadFromAKubeletThatIsBehind(t *testing.T) {
	p := newPlace(t)
	cfg, err := Config(p.access.Kubeconfig(), "", "test")
	if err != nil {
		t.Fatal(err)
	}
	var logs atomic.Int64
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return behind{next, &logs} })
	engine, err := open(t.Context(), cfg, Options{Agent: p.namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	p.target = engine.Target("shop")

	if got := p.said(p.set(fmt.Sprintf(crashes, "no database"))[0]); !strings.Contains(strings.Join(got, "\n"), "no database") {
		t.Errorf("it is said to have said %q", got)
	}
	if logs.Load() < 2 {
		t.Error("the log was not empty at first")
	}
}

func TestALineOfAnyLengthIsRead(t *testing.T) {
	p := newPlace(t)
	got := p.said(p.set(fmt.Sprintf(crashes, "no database "+strings.Repeat("z", 100<<10)))[0])
	// It speaks on two streams, of which a runtime may write down either first.
	i := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, "no database zzz") })
	if i < 0 || len(got[i]) > longestLine {
		t.Errorf("it is said to have said %.100q", got)
	}
}

func TestTheLastLinesAreHarmless(t *testing.T) {
	text, err := readLines(strings.NewReader("one\r\n\x1b[31mtwo\n" + strings.Repeat("x", 2*longestRead) + "\nlast\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := linesOf(text, 3)
	if len(got) != 3 || !strings.HasSuffix(got[0], "two") || strings.Contains(got[0], "\x1b") || len(got[1]) > longestLine || got[2] != "last" {
		t.Errorf("got %.50q", got)
	}
	if text, err := readLines(io.MultiReader(strings.NewReader("half"), broken{})); text != "half" || err == nil {
		t.Errorf("a stream that is cut: %q, %v", text, err)
	}
	if got := linesOf("", 3); got != nil {
		t.Errorf("nothing was said, and read %q", got)
	}
}

// broken is a stream that is cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
