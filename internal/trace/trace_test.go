package trace_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/trace"
)

// collector takes traces as OpenTelemetry's own types have them.
type collector struct {
	t *testing.T
	*httptest.Server
	answers chan int // statuses of the first answers; then 200

	mu      sync.Mutex // guards what follows
	spans   []*otlp.Span
	from    map[string]string
	headers []http.Header
	asked   int
}

func newCollector(t *testing.T, answers ...int) *collector {
	t.Helper()
	c := &collector{t: t, answers: make(chan int, len(answers)), from: map[string]string{}}
	for _, a := range answers {
		c.answers <- a
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	select {
	case status := <-c.answers:
		http.Error(w, "not now", status)
		return
	default:
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/v1/traces" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("%s %s of %s: %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
	}
	// Nothing that the protocol does not know gets through. Its JSON has IDs in hex,
	// where Protobuf's own would have base64.
	for _, id := range regexp.MustCompile(`"(trace|span|parentSpan)Id":"([^"]*)"`).FindAllStringSubmatch(string(body), -1) {
		if want := map[string]string{"trace": `^[0-9a-f]{32}$`}[id[1]]; !regexp.MustCompile(want + `|^[0-9a-f]{16}$`).MatchString(id[2]) {
			c.t.Errorf("%sId is %q", id[1], id[2])
		}
	}
	var data otlp.TracesData
	if err := protojson.Unmarshal(body, &data); err != nil {
		c.t.Errorf("this is no OTLP: %v\n%s", err, body)
	}
	for _, rs := range data.GetResourceSpans() {
		for _, a := range rs.GetResource().GetAttributes() {
			c.from[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
	c.headers = append(c.headers, r.Header)
	fmt.Fprint(w, `{"partialSuccess":{}}`)
}

// lines are the spans as they lie within one another.
func (c *collector) lines() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	depth, traces := map[string]int{}, map[string]string{}
	var b strings.Builder
	for _, s := range c.spans {
		id, parent := string(s.GetSpanId()), string(s.GetParentSpanId())
		if parent != "" {
			depth[id] = depth[parent] + 1
			if traces[parent] != string(s.GetTraceId()) {
				c.t.Errorf("%s is of another trace than what it is part of", s.GetName())
			}
		}
		traces[id] = string(s.GetTraceId())
		fmt.Fprintf(&b, "%s%s %s", strings.Repeat("  ", depth[id]), s.GetName(), time.Duration(s.GetEndTimeUnixNano()-s.GetStartTimeUnixNano())) //nolint:gosec // it is short
		for _, a := range s.GetAttributes() {
			fmt.Fprintf(&b, " %s=%s", a.GetKey(), a.GetValue().GetStringValue())
		}
		if s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR {
			fmt.Fprintf(&b, " failed: %s", s.GetStatus().GetMessage())
		}
		b.WriteString("\n")
	}
	return b.String()
}

// sent runs an exporter with these traces to its end, and returns what it counted.
func sent(t *testing.T, opts trace.Options, traces ...trace.Span) map[string]uint64 {
	t.Helper()
	e, err := trace.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range traces {
		e.Offer(root)
	}
	ctx, end := context.WithCancel(t.Context())
	end() // what waits is sent all the same
	e.Run(ctx)
	return e.Counts()
}

func pass(outcome string) trace.Span {
	at := time.Unix(1_700_000_000, 0)
	later := func(s int) time.Time { return at.Add(time.Duration(s) * time.Second) }
	return trace.Span{
		Name: "pass", Begun: at, Ended: later(9), Attributes: []trace.Attribute{{Key: "syncd.app", Value: "shop"}, {Key: "syncd.outcome", Value: outcome}, {Key: "syncd.hint"}},
		Parts: []trace.Span{
			{Name: "render", Begun: at, Ended: later(1)},
			{Name: "rollout", Begun: later(2), Ended: later(8), Parts: []trace.Span{{Name: "put container/web/1", Begun: later(2), Ended: later(3), Failed: "no such image"}}},
		},
	}
}

func TestTracesArriveAsTheProtocolHasThem(t *testing.T) {
	c := newCollector(t)
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("# the collector's token\nAuthorization: Bearer geheim\n\nX-Team: shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := sent(t, trace.Options{Endpoint: c.URL, HeadersFile: headers, Version: "1.2", From: []trace.Attribute{{Key: "service.name", Value: "syncd"}}}, pass("applied"), pass("rolled back"))
	const one = "pass 9s syncd.app=shop syncd.outcome=%s\n  render 1s\n  rollout 6s\n    put container/web/1 1s failed: no such image\n"
	if want := fmt.Sprintf(one, "applied") + fmt.Sprintf(one, "rolled back"); c.lines() != want {
		t.Errorf("arrived are\n%s\nwant\n%s", c.lines(), want)
	}
	if got["sent"] != 2 || c.asked != 1 || c.from["service.name"] != "syncd" {
		t.Errorf("counted %v in %d requests, from %v", got, c.asked, c.from)
	}
	if h := c.headers[0]; h.Get("Authorization") != "Bearer geheim" || h.Get("X-Team") != "shop" {
		t.Errorf("the headers are %v", h)
	}
}

func TestTracesAreSentAgainWhereThatMayHelp(t *testing.T) {
	c := newCollector(t, http.StatusServiceUnavailable, http.StatusTooManyRequests)
	if got := sent(t, trace.Options{Endpoint: c.URL}, pass("applied")); got["sent"] != 1 || c.asked != 3 {
		t.Errorf("counted %v in %d requests", got, c.asked)
	}
	c = newCollector(t, http.StatusBadRequest)
	var troubles []string
	opts := trace.Options{Endpoint: c.URL, Trouble: func(err error) { troubles = append(troubles, err.Error()) }}
	if got := sent(t, opts, pass("applied")); got["failed"] != 1 || c.asked != 1 || len(troubles) != 1 || !strings.Contains(troubles[0], "400 Bad Request") {
		t.Errorf("counted %v in %d requests, told %q", got, c.asked, troubles)
	}
}

// A login goes to nobody but the endpoint.
func TestTracesFollowNobodyElsewhere(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	c := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer c.Close()
	if got := sent(t, trace.Options{Endpoint: c.URL}, pass("applied")); got["failed"] != 1 || elsewhere.Load() != 0 {
		t.Errorf("counted %v, and somebody else was asked %d times", got, elsewhere.Load())
	}
}

// Nobody waits for a collector: what does not fit is dropped, and counted.
func TestWhoOffersATraceNeverWaits(t *testing.T) {
	e, err := trace.New(trace.Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		e.Offer(pass("applied"))
	}
	if got := e.Counts(); got["dropped"] != 1000-256 {
		t.Errorf("counted %v", got)
	}
	large := pass("applied")
	large.Parts = make([]trace.Span, 3000)
	e, err = trace.New(trace.Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Offer(large); e.Counts()["dropped"] != 1 {
		t.Error("a trace of 3000 steps is kept")
	}
}

func TestASampleIsSent(t *testing.T) {
	c := newCollector(t)
	all := make([]trace.Span, 250)
	for i := range all {
		all[i] = trace.Span{Name: "pass"}
	}
	if got := sent(t, trace.Options{Endpoint: c.URL, Sample: 20}, all...); got["sent"] < 10 || got["sent"] > 120 {
		t.Errorf("of 250 at 20 %% it counted %v", got)
	}
}

func TestCollectorsThatRefuseAreTold(t *testing.T) {
	c := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}`+strings.Repeat(" ", 1<<20))
	}))
	defer c.Close()
	if got := sent(t, trace.Options{Endpoint: c.URL + "/otlp"}, pass("applied")); got["failed"] != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestWhatCannotBeSentToIsRefusedWithAHint(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(bad, []byte("Authorization Bearer geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, []byte(strings.Repeat("X-Team: geheim\n", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []trace.Options{
		{}, {Endpoint: "collector:4317"}, {Endpoint: "ftp://collector"}, {Endpoint: "http://ann:geheim@collector"}, {Endpoint: "http://collector?token=geheim"},
		{Endpoint: "http://collector", HeadersFile: "/nowhere/headers"}, {Endpoint: "http://collector", HeadersFile: bad}, {Endpoint: "http://collector", HeadersFile: long},
	} {
		_, err := trace.New(opts)
		if err == nil || fault.Of(err) != fault.Rejected || fault.Advice(err) == "" || strings.Contains(err.Error()+fault.Advice(err), "geheim") {
			t.Errorf("%+v: %v, hint %q", opts, err, fault.Advice(err))
		}
	}
}
