package pulse_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/pulse"
)

// later lets the bubble's clock go on.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the clock of the bubble
	synctest.Wait()
}

func TestALoopThatGivesNoSignIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h pulse.Heart
		quick := h.Begin("the repository", time.Minute)
		slow := h.Begin("app shop", time.Hour)
		later(50 * time.Second)
		quick.Sign()
		later(time.Minute)
		if c := h.Loops(); !c.OK {
			t.Errorf("a loop within its limit hangs: %+v", c)
		}
		later(time.Second)
		if c := h.Loops(); c.OK || c.Detail != "the repository gives no sign of life for 1m1s" {
			t.Errorf("got %+v", c)
		}
		quick.Rest() // it waits for somebody else
		later(50 * time.Minute)
		if c := h.Loops(); !c.OK {
			t.Errorf("a loop that rests hangs: %+v", c)
		}
		quick.Sign()
		later(10 * time.Minute)
		if got := h.Hung(); len(got) != 2 || got[0].Name != "app shop" || got[1].Name != "the repository" {
			t.Errorf("got %+v", got)
		}
		quick.End()
		slow.End()
		if c := h.Loops(); !c.OK {
			t.Errorf("turns that are over hang: %+v", c)
		}
	})
}

func TestNobodysHeartTakesEverySign(t *testing.T) {
	var h *pulse.Heart
	w := h.Begin("app shop", 0)
	w.Sign()
	w.Rest()
	w.End()
	if c := h.Loops(); !c.OK {
		t.Errorf("got %+v", c)
	}
}

func TestANeedIsAskedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		var answer atomic.Pointer[error]
		var hang atomic.Bool
		says := func(err error) { answer.Store(&err) }
		says(nil)
		n := &pulse.Need{Name: "engine", Every: 10 * time.Second, Limit: 5 * time.Second, Ask: func(ctx context.Context) error {
			if hang.Load() {
				<-ctx.Done()
				return errors.New("it does not answer")
			}
			return *answer.Load()
		}}
		is := func(ok bool, detail string) {
			t.Helper()
			if c := n.Check(); c.OK != ok || !strings.Contains(c.Detail, detail) {
				t.Errorf("got %+v, want %v %q", c, ok, detail)
			}
		}
		is(false, "not asked yet")
		go n.Watch(ctx)
		synctest.Wait()
		is(true, "")
		says(errors.New("connection refused"))
		later(10 * time.Second)
		is(false, "connection refused")
		says(nil)
		later(10 * time.Second)
		is(true, "")
		hang.Store(true)
		later(10 * time.Second)
		is(true, "") // who asks does not wait for the question that is under way
		later(5 * time.Second)
		is(false, "it does not answer")
	})
}

// Also a question that does not heed its deadline.
func TestAQuestionThatHangsIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		release, first := make(chan struct{}), true
		n := &pulse.Need{Name: "record", Every: 10 * time.Second, Limit: 5 * time.Second, Ask: func(context.Context) error {
			if !first {
				<-release
			}
			first = false
			return nil
		}}
		go n.Watch(ctx)
		later(31 * time.Second)
		if c := n.Check(); c.OK || c.Detail != "no answer for 31s" {
			t.Errorf("got %+v", c)
		}
		end()
		close(release)
	})
}

func TestProbesGetAStatusAWordOrAllOfIt(t *testing.T) {
	well := pulse.Of(pulse.Check{Name: "loops", OK: true}, pulse.Check{Name: "engine", OK: true, Detail: "Docker"})
	ill := pulse.Of(pulse.Check{Name: "loops", OK: true}, pulse.Check{Name: "engine", Detail: "it does not answer"})
	for _, tt := range []struct {
		report pulse.Report
		url    string
		accept string
		status int
		want   string
	}{
		{well, "/healthz", "", 200, "ok\n"},
		{well, "/healthz?verbose", "", 200, "ok     loops\nok     engine: Docker\nok\n"},
		{ill, "/readyz", "", 503, "FAILED engine: it does not answer\n"},
		{ill, "/readyz?verbose", "*/*", 503, "ok     loops\nFAILED engine: it does not answer\n"},
		{ill, "/readyz?format=json", "", 503, `{"ok":false,"checks":[{"name":"loops","ok":true},{"name":"engine","ok":false,"detail":"it does not answer"}]}` + "\n"},
		{well, "/readyz", "application/json", 200, `{"ok":true,"checks":[{"name":"loops","ok":true},{"name":"engine","ok":true,"detail":"Docker"}]}` + "\n"},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		req.Header.Set("Accept", tt.accept)
		got := httptest.NewRecorder()
		pulse.Page(func() pulse.Report { return tt.report }).ServeHTTP(got, req)
		if got.Code != tt.status || got.Body.String() != tt.want {
			t.Errorf("%s: %d %q, want %d %q", tt.url, got.Code, got.Body, tt.status, tt.want)
		}
		if strings.HasPrefix(got.Header().Get("Content-Type"), "application/json") != json.Valid(got.Body.Bytes()) {
			t.Errorf("%s is called %s", tt.url, got.Header().Get("Content-Type"))
		}
	}
	if ill.Trouble() != "engine: it does not answer" || well.Trouble() != "" {
		t.Errorf("got %q and %q", ill.Trouble(), well.Trouble())
	}
}
