package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
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

// Counters, and all else that moves while it stays as it is, make nothing news.
func TestWhatMovesWhileItStaysSoIsNoNews(t *testing.T) {
	ails := func(reason, says string) Fact {
		f := sync1("shop", "degraded", reason)
		f.Says = says
		return f
	}
	bubble(t, toOps(config.Route{}), func(p *place) {
		p.happens(time.Minute, ails("web: unhealthy after 3 probes", "web: healthcheck"))
		p.happens(time.Minute, ails("web: unhealthy after 5 probes", "web: healthcheck"))
		p.happens(time.Minute, ails("web: exited with 1", "web: exit"))
		p.happens(time.Minute, ails("db: no space", "")) // of an older agent
		p.happens(time.Minute, ails("db: no space", "db: healthcheck"))
		p.says("ops", "10 prod-1: shop degraded", "130 prod-1: shop degraded", "190 prod-1: shop degraded")
		for _, m := range p.told["ops"].list {
			if m.Facts[0].Says != "" {
				t.Errorf("people are told %q beside the reason %q", m.Facts[0].Says, m.Facts[0].Reason)
			}
		}
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

// Also where the app has another owner by now.
func TestTheEndIsToldToTheOwnerWhoWasToldTheBegin(t *testing.T) {
	bubble(t, toOps(config.Route{Owner: "team-shop"}), func(p *place) {
		p.happens(time.Minute, sync1("shop", "halted", "x"))
		given := sync1("shop", "applied", "")
		given.Owner = "team-blog"
		p.happens(time.Minute, given)
		p.says("ops", "10 prod-1: shop halted", "70 prod-1: shop applied and healthy")
	})
}

func TestAnAppThatIsFoundWellEndsItsIncident(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		before := time.Now()
		p.happens(time.Minute, sync1("shop", "degraded", "web is unhealthy"))
		p.n.Found("shop", "unchanged", "", before.Add(-time.Second)) // what was found before says nothing
		p.n.Found("blog", "unchanged", "", time.Now())
		p.wait(time.Minute)
		p.n.Found("shop", "unchanged", "", time.Now())
		p.wait(time.Minute)
		p.n.Found("shop", "unchanged", "", time.Now())
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: shop degraded", "130 prod-1: shop is well again")
	})
}

// What was halted, and is held back since a person went back, needs nobody any more.
func TestAHaltedAppThatIsHeldNeedsNobody(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		p.happens(time.Minute, sync1("shop", "halted", "x"), sync1("blog", "rolled back", "y"))
		p.n.Found("shop", "held", "a person rolled back", time.Now())
		p.n.Found("blog", "held", "it failed", time.Now())
		p.wait(24 * time.Hour)
		p.says("ops", "10 prod-1: 1 halted, 1 rolled back", "70 prod-1: shop held back")
	})
}

// What is blocked no more, and waits for a person instead, is reminded of no more. That
// it is well is told when it is; that it is blocked again, too.
func TestWhatIsBlockedNoMoreIsNotRemindedOf(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		finds := func(outcome string, then time.Duration) {
			p.t.Helper()
			p.n.Found("shop", outcome, "x", time.Now())
			p.wait(then)
		}
		p.happens(time.Minute, sync1("shop", "blocked", "needs blog"))
		finds("unreachable", time.Minute)
		p.fires("sync/shop SyncdBlocked")
		finds("pending", 24*time.Hour)
		p.fires()
		p.says("ops", "10 prod-1: shop blocked")
		finds("blocked", time.Second) // which is said before it is on record
		p.happens(time.Minute, sync1("shop", "blocked", "needs blog"))
		p.fires("sync/shop SyncdBlocked")
		finds("paused", 24*time.Hour)
		p.fires()
		finds("unchanged", time.Minute)
		p.says("ops", "10 prod-1: shop blocked", "86531 prod-1: shop blocked", "172991 prod-1: shop is well again")
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

// What joins drift within the time of a group is told with what it began with.
func TestWhatJoinsInAMomentIsToldWithTheBegin(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		many := drifts("shop", "changed", "container/db/1 missing")
		many.More = 7
		p.happens(time.Minute, drifts("shop", "opened", "container/web/1 missing"), many, drifts("shop", "changed", "container/log/1 missing"))
		p.says("ops", "10 prod-1: shop drifted")
		if text := p.told["ops"].list[0].Text; !strings.Contains(text, "- container/web/1 missing\n- container/db/1 missing\n- container/log/1 missing\nand 7 more\n") {
			t.Errorf("the text is\n%s", text)
		}
		p.happens(time.Minute, drifts("shop", "changed", "container/dns/1 missing"))
		if text := p.told["ops"].list[1].Text; strings.Contains(text, "web") || !strings.Contains(text, "- container/dns/1 missing") {
			t.Errorf("what joins later is told as\n%s", text)
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
		p.told["dead"].fails(errDown)
		p.happens(time.Hour, sync1("shop", "halted", "x"))
		p.says("ops", "10 prod-1: shop halted")
		p.says("dead")
		if waiting, since := p.n.Waiting(); waiting["dead"] != 1 || waiting["ops"] != 0 || since["dead"].IsZero() {
			t.Errorf("%v wait", waiting)
		}
		p.told["dead"].fails(nil)
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

// A record that cannot be read is read later.
func TestARecordThatFailsIsReadLater(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		p.record.fails.Store(time.Now().Add(5 * time.Minute).UnixNano())
		p.happens(time.Hour, sync1("shop", "halted", "x"))
		p.says("ops", "310 prod-1: shop halted")
	})
}

// A clock that is put back by years, while the agent was away, silences nobody.
func TestAClockThatIsPutBackSilencesNobody(t *testing.T) {
	bubble(t, toOps(config.Route{Remind: duration(time.Hour)}), func(p *place) {
		p.happens(5*time.Second, sync1("shop", "halted", "x")) // collected, and not sent yet
		p.end()
		shift(t, p, 20*365*24*time.Hour)
		p.start()
		p.wait(2*time.Hour - time.Minute)
		p.says("ops", "5 prod-1: shop halted", "3615 prod-1: shop still: halted")
	})
}

// What nobody ended is open for as long as the record says so, also where nobody wants to
// be reminded of it: its end is told to whom its begin was told, as one of its incident.
func TestWhatIsOpenIsNotForgottenWhateverItsAge(t *testing.T) {
	for _, c := range []struct {
		remind time.Duration
		over   bool
		want   []string
	}{
		{0, false, []string{"10 prod-1: shop drifted", "90 prod-1: shop drift is gone"}},
		{0, true, []string{"10 prod-1: shop drifted"}},
		{4 * time.Hour, false, []string{"10 prod-1: shop drifted", "70 prod-1: shop still: drifted", "90 prod-1: shop drift is gone"}},
		{4 * time.Hour, true, []string{"10 prod-1: shop drifted"}},
	} {
		bubble(t, toOps(config.Route{Severity: "warning", Remind: duration(c.remind)}), func(p *place) {
			p.happens(time.Minute, drifts("shop", "opened", "container/web/1 missing"))
			p.end()
			age(t, p, "drift/shop-1", -50*24*time.Hour)
			p.record.over.Store(c.over)
			p.start()
			p.wait(20 * time.Second)
			p.happens(time.Minute, drifts("shop", "resolved"))
			p.says("ops", c.want...)
		})
	}
}

// age puts the times of one incident elsewhere.
func age(t *testing.T, p *place, of string, by time.Duration) {
	t.Helper()
	box, err := outbox.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Update(func(tx *outbox.Tx) error {
		var i incident
		if ok, err := tx.Get(incidentsShelf, of, &i); err != nil || !ok {
			return fmt.Errorf("%s is not there: %w", of, err)
		}
		i.Since, i.Last.At = i.Since.Add(by), i.Last.At.Add(by)
		for name, at := range i.Routes {
			i.Routes[name] = at.Add(by)
		}
		return tx.Put(incidentsShelf, of, i)
	}); err != nil {
		t.Fatal(err)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
}

// Nor does it keep anything open that a pass finds well, nor from being alerted of.
func TestAClockThatIsPutBackEndsWhatIsOver(t *testing.T) {
	bubble(t, amConf(), func(p *place) {
		p.happens(time.Minute, sync1("shop", "halted", "x"), sync1("blog", "degraded", "y"))
		p.end()
		age(t, p, "sync/shop", 365*24*time.Hour)
		age(t, p, "sync/blog", 365*24*time.Hour)
		shiftAlerts(t, p, 365*24*time.Hour)
		p.start()
		p.wait(time.Minute)
		p.fires("sync/blog SyncdDegraded", "sync/shop SyncdHalted")
		alerts, err := p.n.alerts("am")
		if a := saying(alerts); err != nil || len(a) != 2 || a[0].StartsAt.After(time.Now()) || a[1].StartsAt.After(a[1].EndsAt) {
			t.Errorf("said is %+v", a)
		}
		p.n.Found("shop", "unchanged", "", time.Now())
		p.wait(time.Minute)
		p.fires("sync/blog SyncdDegraded")
		p.says("ops", "10 prod-1: 1 degraded, 1 halted", "70 prod-1: shop still: halted", "130 prod-1: shop is well again")
	})
}

// shiftAlerts puts the begin of all alerts elsewhere.
func shiftAlerts(t *testing.T, p *place, by time.Duration) {
	t.Helper()
	box, err := outbox.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	shiftBegins(t, box, by)
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
}

func shiftBegins(t *testing.T, box *outbox.Box, by time.Duration) {
	t.Helper()
	if err := box.Update(func(tx *outbox.Tx) error {
		for _, key := range tx.Keys(alertsShelf + "am") {
			var a alert
			if _, err := tx.Get(alertsShelf+"am", key, &a); err != nil {
				return err
			}
			a.StartsAt = a.StartsAt.Add(by)
			if err := tx.Put(alertsShelf+"am", key, a); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// shift puts all times in the outbox into the future: for it, the clock was put back.
func shift(t *testing.T, p *place, by time.Duration) {
	t.Helper()
	box, err := outbox.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Update(func(tx *outbox.Tx) error {
		var g group
		var i incident
		if _, err := tx.Get(groupsShelf, "route-1", &g); err != nil {
			return err
		}
		if _, err := tx.Get(incidentsShelf, "sync/shop", &i); err != nil {
			return err
		}
		g.Since, i.Since = g.Since.Add(by), i.Since.Add(by)
		for name, at := range i.Routes {
			i.Routes[name] = at.Add(by)
		}
		return errors.Join(tx.Put(groupsShelf, "route-1", g), tx.Put(incidentsShelf, "sync/shop", i))
	}); err != nil {
		t.Fatal(err)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
}

// The end of the agent does not wait for a channel that hangs.
func TestTheAgentEndsWhoeverHangs(t *testing.T) {
	bubble(t, confOf(config.Route{To: []string{"ops", "slow"}}), func(p *place) {
		p.told["slow"].hang.Store(true)
		p.happens(time.Minute, sync1("shop", "halted", "x"))
		begun := time.Now()
		p.end()
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		p.told["slow"].hang.Store(false)
		p.start()
		p.wait(time.Minute)
		p.says("slow", "63 prod-1: shop halted")
		p.says("ops", "10 prod-1: shop halted")
	})
}

// Who hangs is found, and named; a channel that does, and is told by nobody else, does not
// make the agent a dead one.
func TestALoopThatHangsIsFound(t *testing.T) {
	conf := toOps(config.Route{})
	conf.Channels["slow"] = config.Channel{Type: "slack", Timeout: config.Duration(5 * time.Minute)}
	conf.Routes[0].To = append(conf.Routes[0].To, "slow")
	bubble(t, conf, func(p *place) {
		p.told["slow"].hang.Store(true)
		p.happens(time.Hour, sync1("shop", "halted", "x"))
		for range 600 {
			if hung := p.heart.Hung(); len(hung) > 0 {
				t.Fatalf("found are %+v", hung)
			}
			p.wait(time.Second)
		}
		p.record.hangs.Store(int64(time.Hour))
		p.happens(30 * time.Minute)
		if hung := p.heart.Hung(); len(hung) != 1 || hung[0].Name != "the loop of notifications" {
			t.Errorf("found are %+v", hung)
		}
		p.record.hangs.Store(0)
		p.wait(2 * time.Hour)
		if hung := p.heart.Hung(); len(hung) > 0 {
			t.Errorf("later, found are %+v", hung)
		}
	})
}

// What waits for a channel that is gone from the settings is forgotten.
func TestAChannelThatIsGoneIsForgotten(t *testing.T) {
	bubble(t, confOf(config.Route{To: []string{"ops", "gone"}}), func(p *place) {
		p.told["gone"].fails(errDown)
		p.happens(time.Minute, sync1("shop", "halted", "x"))
		p.end()
		with := p.conf
		p.conf = toOps(config.Route{})
		delete(p.told, "gone")
		p.start()
		p.end()
		p.conf, p.told["gone"] = with, &told{from: p.begun}
		p.start()
		p.wait(time.Hour)
		p.says("gone")
	})
}

// To begin on a long record is no work, and what is to be done is not done over and over.
func TestALongRecordIsReadInAFewSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := host(t, toOps(config.Route{}))
		p.end()
		p.path += ".other"
		for i := range 25_000 {
			p.record.add(sync1(fmt.Sprint("app-", i%250), "applied", ""))
		}
		p.record.asked.Store(0)
		box, err := outbox.Open(p.path)
		if err != nil {
			t.Fatal(err)
		}
		if p.n, err = New(Options{Notify: p.conf, Box: box, Journal: p.record, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		if n := p.record.asked.Load(); n > 0 {
			t.Errorf("to begin it was read %d times", n)
		}
		if _, err := p.n.turn(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if n := p.record.asked.Load(); n > 3 {
			t.Errorf("it was read %d times", n)
		}
		if err := box.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// note is what agents that take turns share.
type note struct {
	told  uint64
	to    map[string]uint64
	begun bool
}

func (n *note) Told() (uint64, map[string]uint64, bool, error) { return n.told, n.to, n.begun, nil }
func (n *note) SetTold(id uint64, to map[string]uint64) error {
	n.told, n.to, n.begun = id, to, true
	return nil
}

// The first facts of a new record are told by whoever takes over, where the first agent
// could tell nobody.
func TestWhoTakesOverFromTheFirstTellsItAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := taking(t, toOps(config.Route{}))
		p.told["ops"].fails(errDown)
		p.happens(2*time.Minute, sync1("shop", "halted", "x"))
		p.end()
		p.told["ops"].fails(nil)
		p.path += ".second"
		p.start()
		p.wait(time.Minute)
		p.says("ops", "130 prod-1: shop halted")
	})
}

// Who takes over, with nothing but the record, goes on where all was told: it knows
// what is so, tells what was not delivered, and repeats nothing else.
func TestWhoTakesOverGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &note{}
		p := host(t, toOps(config.Route{Remind: duration(time.Hour)}))
		p.end()
		takeOver := func(path string) {
			p.end()
			p.path += path
			p.shared = shared
			p.start()
		}
		p.record.add(sync1("old", "halted", "before anybody was told"))
		takeOver(".first")
		p.happens(2*time.Minute, drifts("shop", "opened", "container/web/1 missing"), sync1("blog", "halted", "x"), sync1("wiki", "applied", ""))
		if shared.told != 4 {
			t.Errorf("told is noted up to %d", shared.told)
		}
		p.told["ops"].fails(errDown)
		p.happens(2*time.Minute, sync1("wiki", "rejected", "no image"))
		if shared.told != 4 {
			t.Errorf("told is noted up to %d, and one waits", shared.told)
		}
		p.told["ops"].fails(nil)
		takeOver(".second") // the outbox is gone
		p.wait(30 * time.Minute)
		p.happens(time.Hour, drifts("shop", "resolved"), sync1("blog", "applied", ""))
		p.says("ops", "10 prod-1: 1 halted, 1 drift opened, 1 applied", "250 prod-1: wiki rejected", "2050 prod-1: 1 applied, 1 drift resolved")
		if shared.told != 7 {
			t.Errorf("told is noted up to %d", shared.told)
		}
	})
}

// Whoever was told of the begin is told of the end by who takes over, also where that is
// not on record, unless it may have been told before; and nobody else is. What the first
// pass finds counts, however early it ends.
func TestWhoTakesOverTellsTheEnd(t *testing.T) {
	found := func(outcome string) func(*place) {
		return func(p *place) { p.n.Found("shop", outcome, "", time.Now()); p.wait(time.Minute) }
	}
	applied := func(p *place) { p.happens(time.Minute, sync1("shop", "applied", "")) }
	const begin = "10 prod-1: shop degraded"
	for name, c := range map[string]struct {
		route config.Route
		was   func(p *place) // between the agents
		does  []func(*place)
		want  []string
	}{
		"a commit":                     {config.Route{Severity: "warning"}, nil, []func(*place){applied}, []string{begin, "130 prod-1: shop applied and healthy"}},
		"a pass":                       {config.Route{Severity: "warning"}, nil, []func(*place){found("unchanged")}, []string{begin, "130 prod-1: shop is well again"}},
		"a pass, after a pause":        {config.Route{}, nil, []func(*place){found("paused"), found("unchanged")}, []string{begin, "190 prod-1: shop is well again"}},
		"a pass, after one that knows": {config.Route{}, nil, []func(*place){found("degraded"), found("unchanged")}, []string{begin, "190 prod-1: shop is well again"}},
		"a commit that nobody told of": {config.Route{Severity: "warning"}, func(p *place) {
			p.record.add(sync1("shop", "applied", ""))
			p.record.over.Store(true)
		}, nil, []string{begin, "130 prod-1: shop applied and healthy"}},
		"a pass of before":      {config.Route{}, func(p *place) { p.record.over.Store(true) }, []func(*place){found("unchanged"), applied}, []string{begin, "190 prod-1: shop applied and healthy"}},
		"who heard nothing":     {config.Route{Severity: "warning", Events: []string{"rolled-back"}}, nil, []func(*place){found("unchanged")}, nil},
		"before anybody told":   {config.Route{Severity: "warning"}, func(p *place) { p.shared.to = nil }, []func(*place){found("unchanged")}, []string{begin}},
		"a channel that is new": {config.Route{Severity: "warning"}, func(p *place) { p.shared.to = map[string]uint64{"other": 1} }, []func(*place){found("unchanged")}, []string{begin}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := taking(t, toOps(c.route))
				p.happens(2*time.Minute, sync1("shop", "degraded", "web: unhealthy"))
				p.end()
				if c.was != nil {
					c.was(p)
				}
				p.path += ".second"
				p.start()
				for _, do := range c.does {
					do(p)
				}
				p.wait(time.Minute)
				p.says("ops", c.want...)
			})
		})
	}
}

// Also where it has become something since that is told to others.
func TestWhoTakesOverTellsTheEndOfWhatBecameLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := taking(t, toOps(config.Route{Severity: "error"}))
		p.happens(2*time.Minute, sync1("shop", "halted", "x"))
		p.end()
		p.path += ".second"
		p.start()
		p.n.Found("shop", "held", "a person rolled back", time.Now())
		p.wait(time.Minute)
		p.happens(time.Minute, sync1("shop", "applied", ""))
		p.says("ops", "10 prod-1: shop halted", "190 prod-1: shop applied and healthy")
	})
}

// Nobody is reminded, nor told that it is held, of what is on record alone, until a pass
// says that it is so.
func TestWhoTakesOverRemindsOfWhatAPassFound(t *testing.T) {
	for outcome, want := range map[string]string{"": "", "halted": "\n10945 prod-1: shop still: halted\n14545 prod-1: shop still: halted", "held": ""} {
		synctest.Test(t, func(t *testing.T) {
			p := taking(t, toOps(config.Route{Remind: duration(time.Hour)}))
			p.happens(2*time.Minute, sync1("shop", "halted", "x"))
			p.end()
			p.path += ".second"
			p.start()
			p.wait(2*time.Hour + 15*time.Second)
			if outcome != "" {
				p.n.Found("shop", outcome, "x", time.Now())
			}
			p.wait(150 * time.Minute)
			if got := p.told["ops"].all(); got != "10 prod-1: shop halted"+want {
				t.Errorf("found %q, told was\n%s", outcome, got)
			}
		})
	}
}

// Who fails right after people heard is followed by one who repeats little: what was
// told is noted within seconds, also where it was told after the note before.
func TestWhatWasToldIsNotedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := taking(t, toOps(config.Route{Remind: duration(time.Hour)}))
		for i := range 3 {
			p.happens(25*time.Second, sync1("shop", "applied", ""))
			if p.shared.told != uint64(i+1) {
				t.Errorf("after %d facts told is noted up to %d", i+1, p.shared.told)
			}
		}
	})
}

// Where one channel is dead, whoever takes over tells it what it missed, and repeats
// nothing to the others; on the same route, too.
func TestWhoTakesOverRepeatsNothingToWhoWasTold(t *testing.T) {
	conf := confOf(config.Route{To: []string{"ops", "dead"}}, config.Route{To: []string{"dev"}, Apps: []string{"blog"}})
	synctest.Test(t, func(t *testing.T) {
		p := taking(t, conf)
		p.told["dead"].fails(errDown)
		p.happens(time.Hour, sync1("shop", "halted", "x"), sync1("blog", "applied", ""))
		p.happens(time.Hour, sync1("shop", "applied", ""))
		p.told["dev"].fails(errDown)
		p.happens(time.Minute, sync1("blog", "rejected", "y"))
		p.end()
		p.told["dead"].fails(nil)
		p.told["dev"].fails(nil)
		p.path += ".second"
		p.start()
		p.happens(time.Minute, sync1("wiki", "applied", ""))
		p.says("ops", "10 prod-1: 1 halted, 1 applied", "3610 prod-1: shop applied and healthy", "7210 prod-1: blog rejected", "7270 prod-1: wiki applied and healthy")
		p.says("dead", "7270 prod-1: 1 rejected, 1 applied", "7271 prod-1: wiki applied and healthy")
		p.says("dev", "10 prod-1: blog applied and healthy", "7270 prod-1: blog rejected")
		p.wait(time.Minute)
		if got := fmt.Sprint(p.shared.told, p.shared.to); got != "5 map[dead:5 dev:5 ops:5]" {
			t.Errorf("told is noted as %s", got)
		}
	})
}

// A channel that is new begins where the others are.
func TestAChannelThatIsNewBeginsWhereTheOthersAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := host(t, confOf(config.Route{To: []string{"ops", "new"}}))
		p.end()
		p.record.add(sync1("shop", "halted", "x"))
		p.record.add(sync1("blog", "applied", ""))
		p.shared = &note{told: 0, to: map[string]uint64{"ops": 1, "gone": 0}, begun: true}
		p.path += ".second"
		p.start()
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: blog applied and healthy")
		p.says("new", "10 prod-1: blog applied and healthy")
	})
}

// A record that was lost, and numbers its facts anew, silences nobody.
func TestARecordThatWasBegunAnewIsFollowed(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		for range 20 {
			p.record.add(sync1("shop", "applied", ""))
		}
		p.happens(time.Minute)
		p.end()
		p.record.facts = nil
		p.start()
		p.happens(time.Minute, sync1("shop", "halted", "x"))
		p.says("ops", "10 prod-1: shop applied and healthy", "70 prod-1: shop halted")
	})
}

// Also where so much was written to it before anybody could begin to tell that it has
// come to where the one before was read to.
func TestARecordThatWasBegunAnewIsFollowedFromItsBegin(t *testing.T) {
	bubble(t, toOps(config.Route{}), func(p *place) {
		p.happens(time.Minute, sync1("shop", "applied", ""), sync1("blog", "halted", "x"))
		p.end()
		p.record.facts = nil
		start, err := StartOf(p.record, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.begin = &start
		for _, app := range []string{"wiki", "shop", "mail"} {
			p.record.add(sync1(app, "applied", ""))
		}
		p.start()
		p.wait(time.Minute)
		p.says("ops", "10 prod-1: 1 halted, 1 applied", "70 prod-1: 3 applied")
	})
}
