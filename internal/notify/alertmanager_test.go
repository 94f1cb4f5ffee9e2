package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// startAlertmanager runs the distribution's, on ports of its own.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an Alertmanager")
	}
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Fatal("the distribution's prometheus-alertmanager is not installed: hack/programs.sh does it")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(conf, []byte("route: {receiver: none}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	said, err := os.CreateTemp(dir, "said") // its program writes there by itself
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.CommandContext(t.Context(), path, "--config.file="+conf, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // it was killed
	})
	url := "http://" + address
	eventually(t, "Alertmanager answers", func() error {
		res, err := http.Get(url + "/-/ready")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			text, err := os.ReadFile(said.Name())
			return errors.Join(fmt.Errorf("it answers %d: %s", res.StatusCode, text), err)
		}
		return nil
	})
	return url
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually asks until there is no error any more, for two minutes.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// firing are the alerts that an Alertmanager shows as active, NAME APP SEVERITY each.
func firing(t *testing.T, url string) map[string]bool {
	t.Helper()
	res, err := http.Get(url + "/api/v2/alerts?active=true")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var alerts []alert
	if err := json.NewDecoder(res.Body).Decode(&alerts); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, a := range alerts {
		all[a.Labels["alertname"]+" "+a.Labels["app"]+" "+a.Labels["severity"]] = true
		if a.Labels["host"] != "prod-1" || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("an alert is %+v", a)
		}
	}
	return all
}

// Alertmanager takes none that does: an incident may have begun before the clock was set
// back, and ended after it, and still be told of once the clock has come to its begin.
func TestAnAlertNeverEndsBeforeItBegins(t *testing.T) {
	now := time.Now()
	for name, a := range map[string]alert{
		"until the clock comes to its begin": {StartsAt: now.Add(time.Hour), EndsAt: now.Add(-time.Second)},
		"and later":                          {StartsAt: now.Add(-time.Minute), EndsAt: now.Add(-time.Hour)},
		"back once more":                     {StartsAt: now.Add(2 * time.Hour), EndsAt: now.Add(time.Hour)},
		"one that fires":                     {StartsAt: now.Add(time.Hour)},
	} {
		if said := saying(map[string]alert{"sync/shop SyncdHalted": a})[0]; said.EndsAt.Before(said.StartsAt) || a.over() && said.EndsAt.After(time.Now()) {
			t.Errorf("%s: it is said to begin at %v and to end at %v", name, said.StartsAt, said.EndsAt)
		}
	}
}

// What Alertmanager refuses keeps it from hearing nothing else; where it is in trouble,
// the rest is not tried.
func TestAnAlertThatIsRefusedIsInNoOthersWay(t *testing.T) {
	for _, c := range []struct{ answer, asked, kept int }{{http.StatusBadRequest, 3, alertBatch}, {http.StatusBadGateway, 1, 3 * alertBatch}} {
		var asked atomic.Int64
		am := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 1 {
				w.WriteHeader(c.answer)
			}
		}))
		t.Cleanup(am.Close)
		box, err := outbox.Open(filepath.Join(t.TempDir(), "notify.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = box.Close() }) // the test is over
		conf := amConf()
		conf.Channels["am"] = config.Channel{Type: config.Alertmanager, URL: am.URL}
		n, err := New(Options{Notify: conf, Host: "prod-1", Box: box, Journal: &record{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := box.Update(func(tx *outbox.Tx) (err error) {
			for i := range 3 * alertBatch {
				err = errors.Join(err, tx.Put(alertsShelf+"am", fmt.Sprintf("sync/app-%04d SyncdHalted", i), alert{EndsAt: time.Now()}))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := n.sayAlerts(t.Context(), "am", nil); err == nil || !strings.Contains(err.Error(), fmt.Sprint("answered ", c.answer)) {
			t.Errorf("%d: it came to %v", c.answer, err)
		}
		left, err := n.alerts("am")
		if err != nil || len(left) != c.kept || int(asked.Load()) != c.asked {
			t.Errorf("%d: after %d requests, %d wait (%v)", c.answer, asked.Load(), len(left), err)
		}
	}
}

// What ended while Alertmanager was not among the settings does not fire again.
func TestAnAlertThatEndedMeanwhileFiresNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := toOps(config.Route{})
		with := conf
		with.Channels = map[string]config.Channel{"ops": {Type: "slack"}, "am": {Type: "alertmanager", URL: "http://127.0.0.1:1"}}
		with.Routes = []config.Route{{To: []string{"ops", "am"}}}
		p := host(t, with)
		p.happens(time.Minute, drifts("shop", "opened", "x"), sync1("blog", "halted", "y"))
		p.fires("drift/shop-1 SyncdDrift", "sync/blog SyncdHalted")
		p.end()
		p.conf = conf
		p.start()
		p.happens(time.Minute, drifts("shop", "resolved"))
		p.end()
		p.conf = with
		p.start()
		p.fires("sync/blog SyncdHalted")
	})
}

// amConf tells ops, and an Alertmanager.
func amConf() config.Notify {
	conf := toOps(config.Route{})
	conf.Routes[0].To = append(conf.Routes[0].To, "am")
	conf.Channels["am"] = config.Channel{Type: config.Alertmanager, URL: "http://127.0.0.1:1"}
	return conf
}

// A rollback goes on as it is while its revision is held, whatever is repaired meanwhile,
// or cannot be; and what stands is no other for a repair.
func TestWhatStandsIsNoNewsForARepair(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		repair := func(outcome, reason string, still bool) Fact {
			f := sync1("shop", outcome, reason)
			f.Kind, f.Still = "repair", still
			return f
		}
		p.happens(time.Minute, sync1("shop", "rolled back", "web exited with 1"))
		p.happens(time.Minute, repair("held", "web exited with 1; meanwhile: repaired drift: db missing", true))
		p.happens(time.Minute, repair("held", "web exited with 1; besides: repair failed: no space", false))
		p.fires("sync/shop SyncdRolledBack")
		p.happens(time.Minute, sync1("shop", "rejected", "no mapping"))
		p.happens(time.Minute, repair("rejected", "no mapping; meanwhile: repaired drift: db missing", true))
		p.fires("sync/shop SyncdRejected")
		p.says("ops", "10 prod-1: shop rolled back", "190 prod-1: shop rejected")
	})
}

// fires fails the test unless these alerts do.
func (p *place) fires(want ...string) {
	p.t.Helper()
	alerts, err := p.n.alerts("am")
	if err != nil {
		p.t.Fatal(err)
	}
	got := slices.DeleteFunc(sortedKeys(alerts), func(key string) bool { return alerts[key].over() })
	if !slices.Equal(got, want) {
		p.t.Errorf("firing are %v, want %v", got, want)
	}
}

// Whatever forgets an incident ends its alert.
func TestAnAlertEndsWithItsIncident(t *testing.T) {
	t.Run("a halted app that is handed back", func(t *testing.T) {
		bubble(t, amConf(), func(p *place) {
			p.happens(time.Minute, sync1("shop", "halted", "x"))
			p.fires("sync/shop SyncdHalted")
			p.happens(time.Hour, Fact{App: "shop", Kind: "release", Who: "jane"})
			p.fires()
		})
	})
	t.Run("a record that was begun anew", func(t *testing.T) {
		bubble(t, amConf(), func(p *place) {
			p.happens(time.Minute, drifts("shop", "opened", "container/web/1 missing"), sync1("blog", "halted", "x"))
			p.end()
			p.record.facts = nil
			p.start()
			p.wait(10 * time.Hour)
			p.fires()
			p.says("ops", "10 prod-1: 1 halted, 1 drift opened")
		})
	})
}

// What is still so, and reminded of, is not forgotten; what nobody speaks of, and the
// record knows nothing of, is, with its alert.
func TestWhatGoesOnForMonthsIsStillKnown(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		p.record.over.Store(true)
		p.happens(40*24*time.Hour, drifts("shop", "opened", "container/web/1 missing"), sync1("blog", "rejected", "x"))
		p.fires("drift/shop-1 SyncdDrift")
		p.happens(time.Minute, drifts("shop", "changed", "container/web/1 missing"))
		told := p.told["ops"].list
		if last := told[len(told)-1].Title; last != "prod-1: shop still: drifted" {
			t.Errorf("the last that was told is %s", last)
		}
	})
}

// Once a pause ends, what was rolled back is held as before, which is not on record: it
// fires as before, and nobody is told again. What is wanted next ends it.
func TestWhatIsHeldAfterAPauseFiresAgain(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		finds := func(outcome string, fires ...string) {
			p.t.Helper()
			p.n.Found("shop", outcome, "x", time.Now())
			p.wait(time.Minute)
			p.fires(fires...)
		}
		p.happens(time.Minute, sync1("shop", "rolled back", "web exited 1"))
		for range 2 {
			finds("held", "sync/shop SyncdRolledBack")
			finds("paused")
		}
		p.wait(time.Hour)
		alerts, err := p.n.alerts("am")
		if a := alerts["sync/shop SyncdRolledBack"]; err != nil || !a.StartsAt.Equal(p.begun) {
			t.Errorf("it is said to begin at %v (%v)", a.StartsAt, err)
		}
		finds("held", "sync/shop SyncdRolledBack")
		p.happens(time.Minute, sync1("shop", "applied", ""))
		p.fires()
		p.says("ops", "10 prod-1: shop rolled back", "3970 prod-1: shop applied and healthy")
	})
}

// That it is rolled back again is on record, and told.
func TestWhatIsRolledBackAfterAPauseIsToldAgain(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		p.happens(time.Minute, sync1("shop", "rolled back", "web exited 1"))
		p.n.Found("shop", "paused", "x", time.Now())
		p.wait(time.Minute)
		p.n.Found("shop", "rolled back", "web exited 1", time.Now())
		p.happens(time.Minute, sync1("shop", "rolled back", "web exited 1"))
		p.fires("sync/shop SyncdRolledBack")
		p.says("ops", "10 prod-1: shop rolled back", "130 prod-1: shop rolled back")
	})
}

// What is on record where nobody was told yet may be over by now: it fires once a pass
// says that it is so.
func TestWhatIsKnownFiresOnceAPassSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := host(t, amConf())
		p.end()
		p.path += ".new"
		for _, app := range []string{"shop", "blog"} {
			f := sync1(app, "degraded", "web: unhealthy")
			f.At = time.Now().Add(-20 * 24 * time.Hour)
			p.record.add(f)
		}
		p.record.add(sync1("wiki", "halted", "x"))
		p.start()
		p.wait(10 * time.Second)
		p.fires()
		p.n.Found("shop", "unchanged", "", time.Now())
		p.n.Found("blog", "degraded", "web: unhealthy", time.Now())
		p.n.Found("wiki", "held", "a person rolled back", time.Now())
		p.wait(time.Minute)
		p.fires("sync/blog SyncdDegraded", "sync/wiki SyncdHeld")
		p.happens(time.Minute, sync1("blog", "applied", ""))
		p.fires("sync/wiki SyncdHeld")
		p.says("ops", "80 prod-1: blog applied and healthy")
	})
}

// What is not well fires in a real Alertmanager until it is well again.
func TestARealAlertmanagerFiresAndResolves(t *testing.T) {
	url := startAlertmanager(t)
	box, err := outbox.Open(filepath.Join(t.TempDir(), "notify.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	conf := config.Notify{
		Channels: map[string]config.Channel{"am": {Type: "alertmanager", URL: url, Pause: duration(0)}},
		Routes:   []config.Route{{To: []string{"am"}, Severity: "warning"}},
	}
	facts := &record{}
	n, err := New(Options{Notify: conf, Host: "prod-1", Box: box, Journal: facts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { n.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	shows := func(want ...string) {
		t.Helper()
		n.Wake()
		eventually(t, fmt.Sprint("firing are ", want), func() error {
			got := firing(t, url)
			for _, w := range want {
				if !got[w] {
					return fmt.Errorf("firing are %v", got)
				}
			}
			if len(got) != len(want) {
				return fmt.Errorf("firing are %v", got)
			}
			return nil
		})
	}
	facts.add(drifts("shop", "opened", "container/web/1 missing"))
	facts.add(sync1("blog", "blocked", "needs shop"))
	facts.add(sync1("wiki", "applied", ""))
	shows("SyncdDrift shop warning", "SyncdBlocked blog warning")
	facts.add(sync1("blog", "halted", "it failed, and so did going back"))
	facts.add(drifts("shop", "changed", "container/web/2 missing"))
	shows("SyncdDrift shop warning", "SyncdHalted blog error")
	shiftBegins(t, box, time.Hour) // the clock is set back
	facts.add(drifts("shop", "resolved"))
	facts.add(sync1("blog", "applied", ""))
	shows()
	eventually(t, "nothing waits", func() error {
		if waiting, _ := n.Waiting(); waiting["am"] != 0 {
			return fmt.Errorf("%v wait", waiting)
		}
		return nil
	})
}
