package notify

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
)

func bubble(t *testing.T, conf config.Notify, story func(p *place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { story(host(t, conf)) })
}

func toOps(r config.Route) config.Notify {
	r.To = []string{"ops"}
	return confOf(r)
}

func TestAnIncidentIsToldOnce(t *testing.T) {
	bubble(t, toOps(config.Route{Remind: duration(0)}), func(p *place) {
		p.happens(time.Minute, drifts("shop", "opened", "container/web/1 image: a -> b"))
		p.happens(time.Minute, drifts("shop", "changed", "container/web/1 image: a -> b"))
		p.happens(time.Minute, drifts("shop", "changed", "container/web/1 image: a -> b", "container/web/2 missing"))
		p.happens(48*time.Hour, drifts("shop", "opened", "container/web/2 missing"))
		p.happens(time.Minute, drifts("shop", "resolved"))
		p.says("ops", "10 prod-1: shop drifted", "130 prod-1: shop drifted further", "172990 prod-1: shop drift is gone")
	})
}

func TestWhatIsStillSoIsRemindedOf(t *testing.T) {
	bubble(t, toOps(config.Route{Remind: duration(time.Hour)}), func(p *place) {
		p.happens(3*time.Hour-time.Minute, sync1("shop", "halted", "no good revision"), sync1("blog", "rejected", "no image"))
		p.happens(3*time.Hour, sync1("shop", "applied", ""))
		p.says("ops", "10 prod-1: 1 halted, 1 rejected", "3610 prod-1: shop still: halted", "7210 prod-1: shop still: halted", "10750 prod-1: shop applied and healthy")
	})
}

// What went well again is told to whom its begin was told, whatever else they hear.
func TestTheEndIsToldToWhoWasToldTheBegin(t *testing.T) {
	bubble(t, toOps(config.Route{Severity: "error", Events: []string{"rolled-back", "halted"}}), func(p *place) {
		p.happens(time.Minute, sync1("blog", "applied", ""), sync1("wiki", "rejected", "x"))
		p.happens(time.Minute, sync1("shop", "rolled back", "web exited with 1"))
		p.happens(time.Minute, sync1("shop", "applied", ""), sync1("wiki", "applied", ""))
		p.says("ops", "70 prod-1: shop rolled back", "130 prod-1: shop applied and healthy")
	})
}

func TestAnAppThatIsFoundWellEndsItsIncident(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		before := time.Now()
		p.happens(time.Minute, sync1("shop", "degraded", "web is unhealthy"))
		p.n.Well("shop", before.Add(-time.Second)) // what was found before says nothing
		p.n.Well("blog", time.Now())
		p.wait(time.Minute)
		p.n.Well("shop", time.Now())
		p.wait(time.Minute)
		p.n.Well("shop", time.Now())
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: shop degraded", "130 prod-1: shop is well again")
	})
}

func TestABurstIsOneMessage(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		var all []Fact
		for i := range 1000 {
			outcome := "applied"
			if i%100 == 99 {
				outcome = "rolled back"
			}
			all = append(all, sync1(fmt.Sprintf("app-%04d", i), outcome, ""))
		}
		p.happens(time.Minute, all...)
		p.says("ops", "10 prod-1: 10 rolled back, 990 applied")
		m := p.told["ops"].list[0]
		if lines := strings.Split(m.Text, "\n"); len(lines) != 11 || lines[0] != "- app-0099 rolled back (1a2b3c4d5e, Jane Doe)" || lines[10] != "and 990 more: syncd status" {
			t.Errorf("the text is\n%s", m.Text)
		}
		if m.Count != 1000 || len(m.Facts) != 50 {
			t.Errorf("%d facts of %d", len(m.Facts), m.Count)
		}
	})
}

// Drift that is repaired at once is one line: that it came and went.
func TestWhatCameAndWentIsOneFact(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		p.happens(time.Minute, drifts("shop", "opened", "container/web/1 missing"), drifts("shop", "resolved"), sync1("blog", "started", ""))
		p.says("ops", "10 prod-1: shop drift is gone")
		if text := p.told["ops"].list[0].Text; !strings.Contains(text, "- container/web/1 missing") {
			t.Errorf("the text is\n%s", text)
		}
	})
}

func TestRoutesSayWhoIsToldOfWhat(t *testing.T) {
	conf := confOf(
		config.Route{To: []string{"shop"}, Apps: []string{"shop*"}}, config.Route{To: []string{"owner"}, Owner: "Team-Blog"},
		config.Route{To: []string{"here"}, Labels: map[string]string{"env": "prod"}, Events: []string{"act"}},
		config.Route{To: []string{"elsewhere"}, Labels: map[string]string{"env": "test"}}, config.Route{To: []string{"grave", "shop"}, Severity: "error"},
	)
	bubble(t, conf, func(p *place) {
		p.happens(time.Minute, sync1("shop-a", "applied", ""), sync1("blog", "halted", "x"), Fact{Kind: "source", Outcome: "diverged"}, Fact{App: "shop-a", Kind: "pause", Who: "jane"},
			Fact{App: "shop-a", Kind: "gibberish of tomorrow", Who: "jane"}, sync1("shop-a", "gibberish", ""))
		p.says("shop", "10 prod-1: shop-a applied and healthy", "11 prod-1: 1 halted, 1 source diverged")
		p.says("owner", "10 prod-1: blog halted")
		p.says("here", "10 prod-1: 2 act")
		p.says("elsewhere")
		p.says("grave", "10 prod-1: 1 halted, 1 source diverged")
		if got := strings.Join(p.n.Notes(), "; "); got != "route route-4 tells nobody on this host, which has no label env: test" {
			t.Errorf("the notes are %s", got)
		}
	})
}

// One channel that fails holds nobody else up.
func TestADeadChannelConcernsNobodyElse(t *testing.T) {
	bubble(t, confOf(config.Route{To: []string{"dead", "ops"}}), func(p *place) {
		p.told["dead"].fail = errDown
		p.happens(time.Hour, sync1("shop", "halted", "x"))
		p.says("ops", "10 prod-1: shop halted")
		p.says("dead")
		if waiting, since := p.n.Waiting(); waiting["dead"] != 1 || waiting["ops"] != 0 || since["dead"].IsZero() {
			t.Errorf("%v wait", waiting)
		}
		p.told["dead"].mu.Lock()
		p.told["dead"].fail = nil
		p.told["dead"].mu.Unlock()
		p.wait(time.Hour)
		if got := p.n.Deliveries(); len(p.told["dead"].list) != 1 || got[[2]string{"dead", "delivered"}] != 1 || got[[2]string{"dead", "retried"}] < 5 {
			t.Errorf("it was told\n%s\n%v", p.told["dead"].all(), got)
		}
	})
}

// A restart anywhere loses nothing, and repeats nothing.
func TestARestartLosesAndRepeatsNothing(t *testing.T) {
	bubble(t, toOps(config.Route{Remind: duration(time.Hour)}), func(p *place) {
		p.happens(5*time.Second, sync1("shop", "halted", "x")) // read, and collected
		p.end()
		p.record.add(sync1("blog", "rejected", "y")) // while nobody was there
		p.start()
		p.wait(30 * time.Minute)
		p.end()
		p.wait(time.Hour)
		p.start()
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: 1 halted, 1 rejected", "5415 prod-1: shop still: halted")
	})
}

// What was on record before there were notifications is known; so is what is older
// than a day when the agent starts.
func TestWhatIsOldIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := host(t, toOps(config.Route{}))
		p.end()
		p.path += ".other"
		p.record.add(sync1("old", "halted", "x"))
		p.start()
		p.happens(time.Minute, sync1("shop", "applied", ""))
		p.end()
		p.record.add(sync1("blog", "applied", ""))
		p.wait(30 * time.Hour)
		p.record.add(sync1("wiki", "applied", ""))
		p.start()
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: shop applied and healthy", "108070 prod-1: wiki applied and healthy")
	})
}

// Without a wake-up it takes a minute.
func TestTheRecordIsReadOnWithoutBeingAsked(t *testing.T) {
	bubble(t, toOps(config.Route{Group: duration(0)}), func(p *place) {
		p.wait(10 * time.Second)
		p.record.add(sync1("shop", "applied", ""))
		p.wait(time.Minute)
		p.says("ops", "60 prod-1: shop applied and healthy")
	})
}

func TestALeftAppEndsItsIncident(t *testing.T) {
	bubble(t, toOps(config.Route{Remind: duration(time.Hour)}), func(p *place) {
		p.happens(time.Minute, sync1("shop", "halted", "x"))
		p.happens(10*time.Hour, Fact{App: "shop", Kind: "release", Who: "jane"})
		p.says("ops", "10 prod-1: shop halted")
	})
}
