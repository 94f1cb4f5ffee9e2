package annotate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/annotate"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
)

// grafana is /api/annotations as its documentation has it: it wants a token, JSON and a
// text, and answers with a number; asked, it gives those of a time that have all tags.
type grafana struct {
	t *testing.T
	*httptest.Server
	cuts    atomic.Bool // the next answer gets lost
	answers chan int    // statuses of the first answers; then 200

	mu    sync.Mutex // guards what follows
	blind bool       // the token may write, and not read
	marks []map[string]any
	asked int
}

func newGrafana(t *testing.T, answers ...int) *grafana {
	t.Helper()
	g := &grafana{t: t, answers: make(chan int, len(answers))}
	for _, a := range answers {
		g.answers <- a
	}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *grafana) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Method == http.MethodGet {
		g.find(w, r)
		return
	}
	g.asked++
	select {
	case status := <-g.answers:
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":"no, %s"}`, r.Header.Get("Authorization"))
		return
	default:
	}
	var mark map[string]any
	if err := json.NewDecoder(r.Body).Decode(&mark); err != nil || r.Method != http.MethodPost || r.URL.Path != "/grafana/api/annotations" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer glsa_geheim" {
		g.t.Errorf("%s %s with %v: %v", r.Method, r.URL, r.Header, err)
	}
	for key := range mark {
		if !slices.Contains([]string{"time", "timeEnd", "tags", "text"}, key) {
			g.t.Errorf("a mark has %q", key)
		}
	}
	g.marks = append(g.marks, mark)
	if g.cuts.Swap(false) { // it is there, and nobody hears of it
		panic(http.ErrAbortHandler)
	}
	fmt.Fprint(w, `{"message":"Annotation added","id":1}`)
}

func (g *grafana) find(w http.ResponseWriter, r *http.Request) {
	if g.blind {
		http.Error(w, `{"message":"You'll need additional permissions: annotations:read"}`, http.StatusForbidden)
		return
	}
	found := []map[string]any{}
	for _, m := range g.marks {
		at, tags := fmt.Sprintf("%.0f", m["time"]), fmt.Sprint(m["tags"])
		if at < r.FormValue("from") || at > r.FormValue("to") || tags != fmt.Sprint(r.Form["tags"]) {
			continue
		}
		found = append(found, map[string]any{"id": 1, "time": m["time"], "text": m["text"], "tags": m["tags"]})
	}
	if err := json.NewEncoder(w).Encode(found); err != nil {
		g.t.Error(err)
	}
}

// texts are those of all marks.
func (g *grafana) texts() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	for _, m := range g.marks {
		all = append(all, m["text"].(string))
	}
	return all
}

func (g *grafana) mark(n int) map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.marks[n]
}

func (g *grafana) requests() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// journal is a record in memory.
type journal struct {
	mu    sync.Mutex
	facts []annotate.Fact
}

func (j *journal) Since(id uint64, limit int) ([]annotate.Fact, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []annotate.Fact
	for _, f := range j.facts {
		if f.ID > id && len(all) < limit {
			all = append(all, f)
		}
	}
	return all, nil
}

// add writes a fact of the shop.
func (j *journal) add(kind, outcome string, change ...func(*annotate.Fact)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := annotate.Fact{ID: uint64(len(j.facts)) + 1, App: "shop", At: time.Now(), Kind: kind, Outcome: outcome, Commit: "0123456789abcdef", Author: "Ann", Subject: "Faster carts"}
	for _, c := range change {
		c(&f)
	}
	j.facts = append(j.facts, f)
}

// stage is an annotator with what it needs, which outlasts it.
type stage struct {
	t       *testing.T
	options annotate.Options
	record  *journal
	log     bytes.Buffer
	file    string
}

func newStage(t *testing.T, url string) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{t: t, record: &journal{}, file: filepath.Join(dir, "outbox.db")}
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("glsa_geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.options = annotate.Options{URL: url, TokenFile: token, Host: "host1", Journal: s.record, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	return s
}

// while runs an annotator until ok, or until nothing more can come of it.
func (s *stage) while(ok func(*annotate.Annotator) bool) {
	s.t.Helper()
	box, err := outbox.Open(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	s.options.Box = box
	a, err := annotate.New(s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, end := context.WithCancel(s.t.Context())
	ran := make(chan struct{})
	go func() { a.Run(ctx); close(ran) }()
	for late := time.After(time.Minute); !ok(a); {
		select {
		case <-late:
			s.t.Fatal("it does not come to an end")
		case <-time.After(10 * time.Millisecond):
		}
	}
	end()
	<-ran
	if err := box.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// idle tells whether so many attempts ended well or for good, and nothing waits.
func idle(ended uint64) func(*annotate.Annotator) bool {
	return func(a *annotate.Annotator) bool {
		waiting, _, counts := a.Queue()
		return waiting == 0 && counts["delivered"]+counts["refused"] >= ended
	}
}

func TestDeploysAndRollbacksAreMarked(t *testing.T) {
	g := newGrafana(t)
	s := newStage(t, g.URL+"/grafana/")
	s.record.add("sync", "applied", func(f *annotate.Fact) { f.At = f.At.Add(-2 * time.Hour) }) // before anybody wanted marks
	s.while(idle(0))
	for _, f := range [][2]string{{"sync", "started"}, {"sync", "applied"}, {"drift", "opened"}, {"repair", "applied"}, {"sync", "rolled back"}, {"sync", "blocked"}, {"sync", "halted"}, {"pause", "pause"}} {
		s.record.add(f[0], f[1], func(f *annotate.Fact) {
			if f.Outcome == "rolled back" {
				f.Reason, f.Who, f.Took = "web exited\x1b[31m with 1", "bob", 90*time.Second
			}
		})
	}
	s.while(idle(3))
	want := []string{
		"shop deployed 0123456789 (Faster carts) of Ann on host1", "shop rolled back from 0123456789 (Faster carts) by bob on host1: web exited with 1", "shop halted at 0123456789 (Faster carts) of Ann on host1",
	}
	if got := g.texts(); !slices.Equal(got, want) {
		t.Errorf("marked is\n%q, want\n%q", got, want)
	}
	back := g.mark(1)
	if tags := fmt.Sprint(back["tags"]); tags != "[syncd rollback app:shop host:host1]" || back["timeEnd"].(float64)-back["time"].(float64) != 90_000 {
		t.Errorf("the way back is marked %v", back)
	}
	s.while(idle(0)) // the next start repeats nothing
	if n := g.requests(); n != 3 {
		t.Errorf("Grafana was asked %d times", n)
	}
}

// A graph shows when something was deployed that is not well, and not when what is there
// for long becomes so.
func TestWhatBecomesUnwellIsNoDeploy(t *testing.T) {
	g := newGrafana(t)
	s := newStage(t, g.URL+"/grafana/")
	s.record.add("sync", "degraded", func(f *annotate.Fact) { f.Changed, f.Reason = true, "db: unhealthy" })
	s.record.add("sync", "degraded", func(f *annotate.Fact) { f.Reason = "web: unhealthy" })
	s.while(idle(1))
	if got, want := g.texts(), []string{"shop deployed, not well: 0123456789 (Faster carts) of Ann on host1: db: unhealthy"}; !slices.Equal(got, want) {
		t.Errorf("marked is\n%q, want\n%q", got, want)
	}
}

// What is queued outlasts the agent, and Grafana's absence.
func TestMarksWaitForGrafana(t *testing.T) {
	g := newGrafana(t, http.StatusBadGateway)
	s := newStage(t, g.URL+"/grafana")
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.while(func(a *annotate.Annotator) bool {
		waiting, oldest, counts := a.Queue()
		return counts["retried"] == 1 && waiting == 1 && !oldest.IsZero()
	})
	s.while(idle(1))
	if got, n := g.texts(), g.requests(); len(got) != 1 || n != 2 {
		t.Errorf("after the restart %q is marked in %d requests", got, n)
	}
}

// A mark whose answer was lost is not made twice, and neither is one that another
// agent has made, whose outbox ended with its pod.
func TestMarksThatAreThereAreNotMadeAgain(t *testing.T) {
	g := newGrafana(t)
	g.cuts.Store(true)
	s := newStage(t, g.URL+"/grafana")
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.while(idle(1))
	if n := g.requests(); n != 1 {
		t.Errorf("Grafana was asked for %d marks", n)
	}
	s.file += ".new"
	s.while(idle(1))
	s.record.add("sync", "rolled back")
	s.while(idle(1))
	if got := g.texts(); len(got) != 2 || !strings.Contains(got[1], "rolled back") {
		t.Errorf("marked is %q", got)
	}
}

func TestWhoMayOnlyWriteMarks(t *testing.T) {
	g := newGrafana(t)
	g.blind = true
	s := newStage(t, g.URL+"/grafana")
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.while(idle(1))
	if got := g.texts(); len(got) != 1 {
		t.Errorf("marked is %q", got)
	}
}

func TestRefusedMarksAreGivenUpWithAHint(t *testing.T) {
	g := newGrafana(t, http.StatusForbidden)
	s := newStage(t, g.URL+"/grafana")
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.while(idle(1))
	if log := s.log.String(); !strings.Contains(log, "annotations:create") || strings.Contains(log, "geheim") || len(g.texts()) != 0 {
		t.Errorf("the log says %s", log)
	}
}

// The token goes to nobody else.
func TestMarksFollowNobodyElsewhere(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	g := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusPermanentRedirect))
	defer g.Close()
	s := newStage(t, g.URL)
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.while(idle(1))
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("somebody else was asked %d times", n)
	}
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	for _, url := range []string{"", "grafana:3000", "ftp://grafana", "http://ann:geheim@grafana", "http://grafana?key=geheim"} {
		_, err := annotate.New(annotate.Options{URL: url})
		if err == nil || fault.Of(err) != fault.Rejected || fault.Advice(err) == "" || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v, hint %q", url, err, fault.Advice(err))
		}
	}
}

func TestCheckReadsTheToken(t *testing.T) {
	s := newStage(t, "")
	if err := annotate.Check("https://grafana.example.org", s.options.TokenFile, ""); err != nil {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, from := range map[string]struct{ file, env string }{
		"no such file":           {file: "/nowhere/token"},
		"is empty":               {file: empty},
		"has no SYNCD_TEST_NONE": {env: "SYNCD_TEST_NONE"},
	} {
		err := annotate.Check("https://grafana.example.org", from.file, from.env)
		if fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), want) || !strings.Contains(fault.Advice(err), "annotations.tokenFile") {
			t.Errorf("want %q, got %v (%q)", want, err, fault.Advice(err))
		}
	}
}

// Without its token, a mark would be refused, and lost: it waits instead.
func TestMarksWaitForTheirToken(t *testing.T) {
	g := newGrafana(t)
	s := newStage(t, g.URL+"/grafana")
	s.while(idle(0))
	s.record.add("sync", "applied")
	s.options.TokenFile, s.options.TokenEnv = "", "SYNCD_TEST_NONE"
	s.while(func(a *annotate.Annotator) bool {
		waiting, _, counts := a.Queue()
		return waiting == 1 && counts["retried"] > 0 || counts["refused"] > 0
	})
	if n := g.requests(); n != 0 {
		t.Errorf("Grafana was asked %d times without a token", n)
	}
}
