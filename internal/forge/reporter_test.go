package forge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// shop is an app with these files, as its last pass found it.
func shop(files, judged, outcome string, reason ...string) App {
	return App{Name: "shop", Inputs: files, Judged: judged, Outcome: outcome, Reason: strings.Join(reason, "")}
}

func busy(a App) App  { a.Busy = true; return a }
func waits(a App) App { a.Waits = true; return a }
func named(a App, name string) App {
	a.Name = name
	return a
}

func TestAMergeIsPendingThenSuccess(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", "", ""))
	b.tells("1 pending under way: shop")
	b.book("shop", "started", one, "")
	b.wants(one, busy(shop("a", "", "")))
	b.tells()
	b.book("shop", "applied", one, "")
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	b.wants(one, shop("a", one, "unchanged"))
	b.tells()
}

func TestAMergeThatFailsSaysWhy(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	b.wants(two, shop("b", one, "applied"))
	b.tells("2 pending under way: shop")
	b.book("shop", "started", two, "")
	b.book("shop", "rolled back", two, "web exited 1")
	b.wants(two, shop("b", two, "rolled back", "web exited 1"))
	b.tells("2 failure shop: web exited 1")
	b.wants(two, shop("b", two, "held", "revision 2222222222 failed: web exited 1"))
	b.tells()
	b.wants(two, busy(shop("b", two, "held", "revision 2222222222 failed: web exited 1"))) // a repair of the good one
	b.tells()
}

func TestWhatWaitsSaysForWhat(t *testing.T) {
	b := newBench(t)
	b.wants(one, waits(shop("a", one, "blocked", "waiting for its window: closed until Mon")))
	b.tells("1 pending shop: waiting for its window: closed until Mon")
	b.wants(one, waits(shop("a", one, "blocked", "consent is missing: volume/data")))
	b.tells("1 pending shop: consent is missing: volume/data")
	b.wants(one, shop("a", one, "blocked", "port 80 is taken by app other"))
	b.tells("1 failure shop: port 80 is taken by app other")
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
}

// A forge keeps every status that it is given, and takes so many for a commit: how many
// probes have failed by now is no other.
func TestWhatMovesWhileItStaysSoIsToldOnce(t *testing.T) {
	b := newBench(t, config.Feedback{Provider: config.GitHub, TokenFile: tokenFile(t), PerApp: true})
	ails := func(reason, says string) {
		a := shop("a", one, "degraded", reason)
		a.Says = says
		b.wants(one, a)
	}
	ails("db: unhealthy after 3 probes", "db: healthcheck")
	b.tells("1 pending shop: db: unhealthy after 3 probes", "1 syncd/web-1/shop pending db: unhealthy after 3 probes")
	ails("db: unhealthy after 5 probes", "db: healthcheck")
	b.tells()
	ails("db: exited with 1", "db: exit")
	b.tells("1 pending shop: db: exited with 1", "1 syncd/web-1/shop pending db: exited with 1")
}

// Whatever becomes of an app later, its merge was live; unless it is taken back.
func TestWhatWasLiveIsNotPendingAgain(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	for _, later := range []string{"unreachable", "degraded", "blocked", "paused", "pending"} {
		b.wants(one, shop("a", one, later, "something"))
		b.tells()
	}
	b.wants(one, shop("a", one, "held", "ann rolled back to 0000000000"))
	b.tells("1 failure shop: ann rolled back to 0000000000")
	b.book("shop", "started", one, "")
	b.wants(one, busy(shop("a", one, "held", "ann rolled back to 0000000000")))
	b.tells("1 pending under way: shop")
	b.book("shop", "applied", one, "")
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
}

// What cannot be rendered any more, for want of a value of the host's own, runs on; nor
// has it failed where that is found on record.
func TestWhatWasLiveIsNoFailureForWhatTheHostLacksLater(t *testing.T) {
	b := newBench(t, config.Feedback{Provider: config.GitHub, TokenFile: tokenFile(t), PerApp: true})
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop", "1 syncd/web-1/shop success live and healthy")
	b.wants(one, shop("a2", one, "rejected", "variable X is not set"))
	b.tells()
	b.restart()
	b.book("shop", "rejected", one, "variable X is not set")
	b.wants(two, shop("b", two, "applied"))
	b.tells("2 success live and healthy: shop", "2 syncd/web-1/shop success live and healthy")
}

// One that is not valid, and was never live, fails.
func TestWhatIsRejectedFails(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "rejected", "compose.yaml:3: not a mapping"))
	b.tells("1 failure shop: compose.yaml:3: not a mapping")
	b.wants(two, shop("b", two, "applied"))
	b.tells("2 success live and healthy: shop")
}

// An innocent commit is not blamed for what failed before it.
func TestACommitIsToldOfAppsThatItConcernsAlone(t *testing.T) {
	b := newBench(t)
	db := func(judged, outcome string) App { return named(shop("x", judged, outcome, "no space"), "db") }
	b.wants(one, shop("a", one, "applied"), db(one, "halted"))
	b.tells("1 failure db: no space")
	b.wants(two, shop("b", two, "applied"), db(two, "halted"))
	b.tells("2 success live and healthy: shop")
	b.wants(three, shop("b", three, "unchanged"), db(three, "halted"))
	b.tells("3 success nothing on this host is changed by 3333333333")
}

// What was not live when a newer commit came goes along with that one.
func TestASupersededCommitIsNotLeftPending(t *testing.T) {
	b := newBench(t)
	b.wants(one, waits(shop("a", one, "blocked", "waiting for its window")))
	b.tells("1 pending shop: waiting for its window")
	b.wants(two, waits(shop("a", two, "blocked", "waiting for its window"))) // which changes nothing by itself
	b.tells("1 superseded superseded by 2222222222 before it was live here", "2 pending shop: waiting for its window")
	b.wants(two, shop("a", two, "applied"))
	b.tells("2 success live and healthy: shop")
	b.wants(three, shop("a", three, "unchanged"))
	b.tells("3 success nothing on this host is changed by 3333333333")
}

// What happened while nobody could tell is told from the record.
func TestAnEndThatNobodySawIsTold(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", "", ""))
	b.tells("1 pending under way: shop")
	b.book("shop", "started", one, "")
	b.book("shop", "rolled back", one, "web exited 1")
	b.restart()
	b.wants(two, shop("b", two, "applied"))
	b.tells("1 failure shop: web exited 1", "2 success live and healthy: shop")
	b.restart()
	b.tells()
}

func TestARevisionThatIsNotFollowedFails(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	b.sight.Refused = map[string]string{two: "it is not signed"}
	b.tells("2 failure not followed: it is not signed")
	b.tells()
	b.sight.Refused = nil
	b.wants(two, shop("b", two, "applied")) // a key was added
	b.tells("2 success live and healthy: shop")
}

// Nor does the first that a host ever sees; of others nothing is said until it shows which
// is wanted.
func TestAFirstRevisionThatIsNotFollowedFails(t *testing.T) {
	b := newBench(t, config.Feedback{Provider: config.GitHub, TokenFile: tokenFile(t), PerApp: true})
	b.sight.Refused = map[string]string{one: "it is not signed"}
	b.book("shop", "started", two, "")
	b.tells("1 failure not followed: it is not signed")
	b.restart()
	b.tells()
	b.wants(two, shop("a", two, "applied")) // the push was taken back
	b.tells("2 success live and healthy: shop", "2 syncd/web-1/shop success live and healthy")
	b.restart()
	b.wants("")
	b.sight.Refused = map[string]string{two: "a key was taken away", three: "it is not signed"}
	b.tells("3 failure not followed: it is not signed")
}

func TestAStatusForEachApp(t *testing.T) {
	b := newBench(t, config.Feedback{Provider: config.GitHub, TokenFile: tokenFile(t), PerApp: true, Environment: "production", Context: "deploy/{host}"})
	b.wants(one, shop("a", one, "applied"), named(shop("x", one, "rolled back", "exit 1"), "db"))
	b.tells(
		"1 deploy/web-1 (production) failure db: exit 1",
		"1 deploy/web-1/db (production) failure exit 1",
		"1 deploy/web-1/shop (production) success live and healthy",
	)
	b.wants(two, shop("a", two, "unchanged"), named(shop("y", one, "rolled back", "exit 1"), "db"))
	b.tells(
		"2 deploy/web-1 (production) pending under way: db",
		"2 deploy/web-1/db (production) pending under way",
	)
}

// Of what could not be sent yet only the newest is.
func TestOnlyTheNewestStateIsSent(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", "", ""))
	b.must(b.r.turn(time.Now()))
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	if items := b.waiting(); len(items) != 1 {
		t.Errorf("%d wait", len(items))
	}
}

// What is read, remembered and queued is one: after a failure of the disk it is all
// done again, and once.
func TestNothingIsToldTwiceAfterARestart(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	for range 3 {
		b.restart()
		b.tells()
	}
	b.wants(one)
	b.tells()
}

// Whoever is named for the first time is told of what is wanted now, not of what was.
func TestANewForgeIsNotToldOfThePast(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "rolled back", "exit 1"))
	b.tells("1 failure shop: exit 1")
	for id := range b.last {
		b.must(b.box.Done(b.r.to[0].topic(), id))
	}
	b.r.memory.commits[one].Seen = time.Now().Add(-2 * time.Hour)
	b.must(b.box.Update(func(tx *outbox.Tx) error { return b.r.memory.keep(tx, memory{}) }))
	b.conf[0].Name = "other"
	b.restart()
	b.last = map[uint64]bool{}
	b.wants(two, shop("b", two, "applied"))
	b.tells("2 success live and healthy: shop")
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	b := newBench(t)
	for i := range 100 {
		b.wants(fmt.Sprintf("%040d", i), shop(fmt.Sprint(i), fmt.Sprintf("%040d", i), "applied"))
		b.must(b.r.turn(time.Now().Add(time.Duration(i) * time.Minute)))
	}
	if n := len(b.r.memory.commits); n != keptCommits {
		t.Errorf("%d commits are remembered", n)
	}
}

// Nor does it grow where none is followed; what was, and what is refused still, is not
// forgotten for that, and not told again.
func TestWhatIsRememberedOfRefusalsIsBounded(t *testing.T) {
	b := newBench(t)
	b.wants(one, shop("a", one, "applied"))
	b.tells("1 success live and healthy: shop")
	b.wants("")
	for i := range 100 {
		b.sight.Refused = map[string]string{two: "it is not signed", fmt.Sprintf("%040d", i): "nor is this"}
		b.must(b.r.turn(time.Now().Add(time.Duration(i) * time.Minute)))
	}
	if n := len(b.r.memory.commits); n != keptCommits+2 {
		t.Errorf("%d commits are remembered", n)
	}
	for _, item := range b.waiting() {
		b.last[item.ID] = true
	}
	b.wants(one, shop("a", one, "applied"))
	b.tells()
}
