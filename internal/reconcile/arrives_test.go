package reconcile_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// people are told of what happens in a world, by a webhook on a real server.
type people struct {
	mu   sync.Mutex
	told []notify.Message
}

// ServeHTTP keeps what is told.
func (p *people) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m notify.Message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, m)
}

// heard is what was told of an event, in the order in which it was.
func (p *people) heard(event string) (all []notify.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.told {
		if m.Counts[event] > 0 {
			all = append(all, m)
		}
	}
	return all
}

// onRecord is the world's record as facts, as the agent's program maps them.
type onRecord struct{ store *state.Store }

func (r onRecord) Last() (uint64, error)          { return r.store.Last() }
func (r onRecord) Open(notify.Fact) (bool, error) { return true, nil }
func (r onRecord) Since(id uint64, n int) ([]notify.Fact, error) {
	entries, err := r.store.Since(id, n)
	var facts []notify.Fact
	for _, e := range entries {
		facts = append(facts, notify.Fact{
			ID: e.ID, At: e.At, App: e.App, Owner: e.Owner, Kind: e.Kind, Outcome: e.Outcome, Who: e.Who, Reason: e.Reason, Says: e.Says, Still: e.Still, Hint: e.Hint,
			Revision: notify.Revision{Commit: e.Revision.Commit, Author: e.Revision.Author, Subject: e.Revision.Subject},
			Incident: e.Incident, Findings: e.Findings, More: e.More, Duration: e.Duration,
		})
	}
	return facts, err
}

// tellsPeople lets a webhook be told of what happens in the world from now on, one event in
// each message. The agent begins anew.
func (w *world) tellsPeople(url string, change ...func(*reconcile.Options)) {
	w.t.Helper()
	box, err := outbox.Open(filepath.Join(w.t.TempDir(), "notify.db"))
	w.must(err)
	no := config.Duration(0)
	events := strings.Fields("sync-started applied repaired recovered degraded rolled-back held halted blocked rejected window-pending drift-opened drift-changed drift-resolved drift-fight source-stale source-diverged source-unverified source-unreachable source-recovered")
	var n *notify.Notifier // hears of nothing before it is there
	w.restart(append(change, func(o *reconcile.Options) {
		o.Hear = func(e reconcile.Event) {
			if e.Result != nil {
				n.Found(e.App, string(e.Result.Outcome), e.Result.Reason, e.At)
			}
			n.Wake()
		}
	})...)
	n, err = notify.New(notify.Options{
		Notify: config.Notify{
			Channels: map[string]config.Channel{"hook": {Type: "webhook", URL: url, Pause: &no}},
			Routes:   []config.Route{{Name: "all", To: []string{"hook"}, Events: events, Group: &no}},
		},
		Host: "prod-1", Box: box, Journal: onRecord{w.store}, Start: &notify.Start{}, Log: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	ctx, end := context.WithCancel(w.t.Context())
	var hands sync.WaitGroup
	hands.Go(func() { n.Run(ctx) })
	w.t.Cleanup(func() { end(); hands.Wait(); w.must(box.Close()) })
}

// Each event arrives from a pass that was really made, and says what a person on a phone
// has to know: where, what, which revision and whose, why, what was done, what to do.
func TestEachEventArrivesFromARealPass(t *testing.T) {
	merges := func(w *world, image string) { w.repo.shop(healthy(image)); w.look() }
	remote := func(s source.RemoteState) func(*testing.T, *world, *held) {
		return func(_ *testing.T, w *world, h *held) {
			h.set(func() {
				h.remotes = []source.RemoteStatus{{Name: "https://git.example", State: source.RemoteServing}, {Name: "https://mirror.example", State: s, Since: time.Now(), Reason: "so it is"}}
			})
			later(time.Hour)
			h.set(func() { h.remotes[1].State, h.remotes[1].Reason = source.RemoteServing, "" })
			later(time.Hour)
		}
	}
	calm := func(do func(w *world)) func(*testing.T, *world, *held) {
		return func(_ *testing.T, w *world, _ *held) { do(w) }
	}
	for event, c := range map[string]struct {
		do   func(*testing.T, *world, *held)
		says []string
	}{
		"sync-started": {calm(func(w *world) { merges(w, "v2") }), []string{"shop is being synced", "Revision: 0000000000 by Dev: change"}},
		"applied":      {calm(func(w *world) { merges(w, "v2") }), []string{"shop applied and healthy", "Revision: 0000000000 by Dev: change", "Took: "}},
		"rejected": {calm(func(w *world) {
			w.repo.merge(map[string]appFiles{"shop": {broken: "compose.yaml:3: no mapping"}})
			w.look()
		}),
			[]string{"shop rejected", "Revision: ", "Why: ", "compose.yaml:3: no mapping", "syncd: Nothing was changed", "To do: "}},
		"rolled-back": {calm(func(w *world) { w.repo.shop(never("v2")); later(10 * time.Minute) }), []string{"shop rolled back", "Revision: 0000000000 by Dev: change", "Why: ", "syncd: The last good revision is back.", "To do: "}},
		"halted": {calm(func(w *world) {
			w.repo.merge(map[string]appFiles{"shop": {objects: w.repo.at(commitName(0))["shop"].objects}, "blog": {objects: service("blog", 1, `"health":"never","image":"b1"`)}})
			later(10 * time.Minute)
		}), []string{"blog halted", "Revision: ", "Why: ", "syncd: Nothing more is changed", "To do: "}},
		"degraded": {calm(func(w *world) { w.target.Break(key("web"), "its disk is full"); later(10 * time.Minute) }), []string{"shop degraded", "Why: ", "its disk is full", "syncd: It goes on running", "To do: "}},
		"recovered": {calm(func(w *world) {
			w.target.Break(key("web"), "full")
			later(10 * time.Minute)
			w.target.Break(key("web"), "")
			later(time.Hour)
		}), []string{"shop is well again", "Lasted: "}},
		"blocked":        {calm(func(w *world) { w.repo.merge(map[string]appFiles{}); later(10 * time.Minute) }), []string{"shop blocked", "Why: ", "syncd: Nothing was changed.", "To do: ", "syncd approve shop"}},
		"window-pending": {calm(func(w *world) { w.repo.shop(healthy("v2")); later(time.Hour) }), []string{"shop waits for its window", "Why: ", "To do: ", "--force"}},
		"drift-opened":   {calm(func(w *world) { w.target.Vanish(key("web")); w.look() }), []string{"shop drifted", "Revision: 0000000000 by Dev: change", "container/web/1 missing", "To do: syncd repairs it"}},
		"drift-resolved": {calm(func(w *world) { w.target.Vanish(key("web")); w.look() }), []string{"shop drift is gone", "container/web/1 missing", "repaired by syncd"}},
		"repaired":       {calm(func(w *world) { w.target.Vanish(key("web")); w.look() }), []string{"shop repaired", "container/web/1 missing"}},
		"drift-fight": {calm(func(w *world) {
			for range 6 {
				w.target.Rename(key("web"), "by-hand")
				w.look()
			}
		}), []string{"shop drift comes back", "changes container/web/1 name back", "syncd: It is not repaired any more", "To do: ", "syncd retry shop"}},
		"source-stale":       {remote(source.RemoteStale), []string{"remote https://mirror.example is behind", "Why: ", "so it is", "syncd: ", "To do: "}},
		"source-unverified":  {remote(source.RemoteUntrusted), []string{"remote https://mirror.example names a revision that is not signed", "Why: ", "syncd: It is not followed", "To do: "}},
		"source-diverged":    {remote(source.RemoteDiverged), []string{"remote https://mirror.example has another history", "Why: ", "syncd: What was accepted stays", "To do: "}},
		"source-unreachable": {remote(source.RemoteUnreachable), []string{"remote https://mirror.example does not answer", "Why: ", "syncd: What runs goes on", "To do: "}},
		"source-recovered":   {remote(source.RemoteStale), []string{"remote https://mirror.example is well again", "Lasted: "}},
	} {
		t.Run(event, func(t *testing.T) {
			p := &people{}
			server := httptest.NewServer(p) // outside the bubble, whose clock stands still while it answers
			defer server.Close()
			holding(t, func(t *testing.T, w *world, h *held) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				change := func(o *reconcile.Options) { o.Source, o.Renderer = h, h }
				if event == "window-pending" {
					later(time.Until(time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)))
					w.tellsPeople(server.URL, change, windowed(nightly))
				} else {
					w.tellsPeople(server.URL, change)
				}
				stop := w.background()
				later(time.Minute)
				c.do(t, w, h)
				later(2 * time.Minute)
				stop()
				synctest.Wait()
			})
			all := p.heard(event)
			if len(all) == 0 {
				p.mu.Lock()
				defer p.mu.Unlock()
				t.Fatalf("it was not told; told was %+v", p.told)
			}
			text := all[len(all)-1].Title + "\n" + all[len(all)-1].Text
			t.Log(text)
			for _, want := range append(c.says, "prod-1: ") {
				if !strings.Contains(text, want) {
					t.Errorf("it says nothing of %q:\n%s", want, text)
				}
			}
		})
	}
}

// What stands as it stood is told once, whatever is repaired beside it: that is told to
// whoever asks for repairs.
func TestWhatStandsIsToldOnceWhateverIsRepaired(t *testing.T) {
	needing := appFiles{objects: []resource.Object{healthy("v2"), one("db", `"image":"d1"`)}}
	needing.config.DependsOn = []string{"blog"}
	heal := nightly
	heal.Heal = true
	v1 := []resource.Object{healthy("v1"), one("db", `"image":"d1"`)}
	merges := func(app appFiles) func(w *world) {
		return func(w *world) { w.repo.merge(map[string]appFiles{"shop": app}) }
	}
	for event, begins := range map[string]func(w *world){
		"rejected":       merges(appFiles{broken: "compose.yaml:3: no mapping"}),
		"rolled-back":    merges(appFiles{objects: []resource.Object{never("v2"), v1[1]}}),
		"blocked":        merges(needing),
		"window-pending": merges(appFiles{objects: []resource.Object{healthy("v2"), v1[1]}}),
		"degraded": func(w *world) {
			for range 6 {
				w.target.Rename(key("web"), "by-hand")
				w.look()
			}
		},
	} {
		t.Run(event, func(t *testing.T) {
			p, before := &people{}, 0
			server := httptest.NewServer(p) // outside the bubble, whose clock stands still while it answers
			defer server.Close()
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(v1...)
				w.ends(reconcile.Applied)
				later(12 * time.Hour) // noon
				var change []func(*reconcile.Options)
				if event == "window-pending" {
					change = append(change, windowed(heal))
				}
				w.tellsPeople(server.URL, change...)
				defer synctest.Wait()
				defer w.background()()
				later(time.Minute)
				begins(w)
				later(10 * time.Minute)
				before = len(p.heard("repaired"))
				for range 3 {
					w.target.Vanish(key("db"))
					w.agent.Look()
					later(30 * time.Minute)
				}
			})
			want := map[string]int{event: 1, "repaired": before + 3}
			for _, e := range []string{"rejected", "rolled-back", "held", "blocked", "window-pending", "degraded", "repaired"} {
				if got := len(p.heard(e)); got != want[e] {
					t.Errorf("%s was told %d times, want %d", e, got, want[e])
				}
			}
		})
	}
}
