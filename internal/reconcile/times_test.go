package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// scheduled follows the repository at these times.
func scheduled(interval time.Duration, times ...string) func(*reconcile.Options) {
	return func(o *reconcile.Options) {
		o.Host = config.Host{Repo: config.Repo{Interval: config.Duration(interval), Schedule: times}}.Defaults()
	}
}

// polls fails the test unless the repository was asked so often within d.
func (w *world) polls(what string, d time.Duration, want int) {
	w.t.Helper()
	w.repo.forget()
	later(d)
	if asked, _ := w.repo.asked(); asked != want {
		w.t.Errorf("%s: it was asked %d times in %s, want %d", what, asked, d, want)
	}
}

// The bubble's clock begins at midnight UTC on 2000-01-01, a Saturday.
func TestAScheduleAloneIsWhenTheRepositoryIsLookedAt(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(scheduled(0, "0 * * * *", "CRON_TZ=Europe/Berlin 30 9 * * 1-5"))
		w.repo.shop(healthy("v1"))
		w.repo.forget()
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.runs("web", "v1") // at the start it looks in any case
		w.polls("a day at the weekend", 24*time.Hour, 24)
		w.polls("another one", 24*time.Hour, 24)
		w.polls("a day of the week", 24*time.Hour, 25)
		w.repo.shop(healthy("v2"))
		later(58 * time.Minute)
		w.runs("web", "v1")
		later(2 * time.Minute)
		w.runs("web", "v2")
	})
}

func TestAScheduleBesideAnInterval(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(scheduled(time.Hour, "15,45 * * * *"))
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.polls("each", 2*time.Hour, 4)
		w.repo.shop(healthy("v2"))
		later(30 * time.Minute)
		w.runs("web", "v2")
	})
}

// A time at which the repository does not answer is made up for, and does not wait
// for the next one.
func TestAMissedTimeIsMadeUpFor(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(scheduled(0, "0 9 * * *"))
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		w.polls("until it is time", 8*time.Hour, 0)
		later(90 * time.Minute)
		if asked, _ := w.repo.asked(); asked < 10 || asked > 40 {
			t.Errorf("it was asked %d times in half an hour without answer", asked)
		}
		w.repo.fail(nil)
		later(3 * time.Minute)
		w.runs("web", "v2")
		w.polls("after it answered", 20*time.Hour, 0)
	})
}

// Times are those of the clock on the wall, whatever becomes of it.
func TestAScheduleGoesByTheClockOnTheWall(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		clock := &wallClock{}
		w.restart(withClock(clock), scheduled(0, "0 9 * * *"))
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Hour)
		clock.jump(8*time.Hour + 30*time.Minute) // to half past nine
		w.polls("put forward over it", 2*time.Minute, 1)
		clock.jump(-time.Hour)
		w.polls("put back before it", 27*time.Minute, 0)
		w.polls("it comes again", 2*time.Minute, 1)
		clock.jump(3 * 365 * 24 * time.Hour)
		w.polls("years are missed", time.Hour, 1)
	})
}

// recalled is a repository that leaves places alone which did not answer.
type recalled struct {
	*repo
	all, forgotten int
}

func (r *recalled) AskAll() { r.all++ }
func (r *recalled) Forget() { r.forgotten++ }

// A webhook lets all places be asked, and nothing be tried again that was refused:
// whoever pushes often would make much work with one bad revision.
func TestAWebhookAsksEverywhereAndForgetsNothing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		r := &recalled{repo: w.repo}
		w.restart(scheduled(0, "0 9 1 1 *"), func(o *reconcile.Options) { o.Source = r })
		w.repo.shop(healthy("v1"))
		if w.agent.Ready() {
			t.Error("it is ready before its loop runs")
		}
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		w.agent.Poll()
		later(time.Minute)
		w.runs("web", "v2")
		if r.all != 1 || r.forgotten != 0 || !w.agent.Ready() {
			t.Errorf("all were asked %d times, and it forgot %d times", r.all, r.forgotten)
		}
	})
}

func TestAPersonNeedsNoSchedule(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(scheduled(0, "0 9 1 1 *"))
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		w.agent.Look()
		later(time.Minute)
		w.runs("web", "v2")
	})
}
