package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/resource"
)

// world is who can be connected to, in the pool's tests.
type world struct {
	mu    sync.Mutex
	down  map[string]error
	dials map[string][]time.Duration // since the world's beginning
	began time.Time
}

func (w *world) reach(ctx context.Context, m *member) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := m.backend.ID
	w.dials[id] = append(w.dials[id], time.Since(w.began))
	if err := cmpErr(ctx.Err(), w.down[id]); err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	_ = there.Close()
	return here, nil
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) set(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down[id] = err
}

func (w *world) dialled(id string) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dials[id])
}

// inPool runs a test with a pool and a clock of its own.
func inPool(t *testing.T, test func(t *testing.T, p *pool, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{down: map[string]error{}, dials: map[string][]time.Duration{}, began: time.Now()}
		p := newPool(t.Context(), w.reach, slog.New(slog.DiscardHandler))
		defer p.close()
		test(t, p, w)
	})
}

// pass lets time go by on the bubble's clock, and all that happens then.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

const a, b, c = "10.0.0.1", "10.0.0.2", "10.0.0.3"

// these is a table with backends; options change it.
func these(ids ...string) Table {
	t := Table{Format: 1, Mode: TCP, Port: 80}
	for _, id := range ids {
		t.Backends = append(t.Backends, Backend{ID: id, Port: 80})
	}
	return t.complete()
}

func (t Table) draining(id string) Table {
	t.Backends = slices.Clone(t.Backends)
	for i := range t.Backends {
		if t.Backends[i].ID == id {
			t.Backends[i].Draining = true
		}
	}
	return t
}

func (t Table) share(id string, percent int) Table {
	t.Backends = slices.Clone(t.Backends)
	for i := range t.Backends {
		if t.Backends[i].ID == id {
			t.Backends[i].Share = percent
		}
	}
	return t
}

func (t Table) held(limit int, wait time.Duration) Table {
	t.Hold = &Hold{Limit: limit, For: resource.Duration(wait)}
	return t
}

func (t Table) drain(d time.Duration) Table {
	t.Drain = resource.Duration(d)
	return t
}

// given is a pick that must succeed at once or after waiting.
func given(t *testing.T, p *pool, except ...string) *lease {
	t.Helper()
	l, err := p.pick(t.Context(), "", except)
	if err != nil {
		t.Fatalf("pick: %v", err)
	}
	return l
}

func gets(t *testing.T, p *pool, want string) *lease {
	t.Helper()
	l := given(t, p)
	if l.ID() != want {
		t.Fatalf("%s got it, want %s", l.ID(), want)
	}
	return l
}

func state(t *testing.T, p *pool, id string) State {
	t.Helper()
	var answer Answer
	p.fill(&answer)
	for _, s := range answer.Backends {
		if s.ID == id {
			return s
		}
	}
	return State{}
}

func totals(p *pool) Totals {
	var answer Answer
	p.fill(&answer)
	return answer.Totals
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestTheOneWithTheFewestInFlightGetsTheNext(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b))
		first, second := gets(t, p, a), gets(t, p, b)
		third := gets(t, p, a)
		second.Done(false)
		gets(t, p, b)
		gets(t, p, b)
		first.Done(false)
		third.Done(false)
		gets(t, p, a)
	})
}

func TestEqualsTakeTurns(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b, c))
		for range 5 {
			for _, id := range []string{a, b, c} {
				gets(t, p, id).Done(false)
			}
		}
	})
}

func TestACanaryGetsItsShareEvenlySpread(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b, c).share(c, 10))
		counts := map[string]int{}
		var got []string
		for range 1000 {
			l := given(t, p)
			counts[l.ID()]++
			got = append(got, l.ID())
			l.Done(false)
		}
		if counts[c] != 100 || counts[a] != 450 || counts[b] != 450 {
			t.Errorf("got %v, want 450, 450, 100", counts)
		}
		for i := range 99 {
			n := 0
			for _, id := range got[i*10 : i*10+10] {
				if id == c {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("of the ten from %d on the canary got %d", i*10, n)
			}
		}
	})
}

func TestAShareOfTheWholeLeavesNothingForTheOthers(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.credit = 500 // left by earlier tables
		p.set(these(a, b).share(b, 100))
		for range 200 {
			gets(t, p, b).Done(false)
		}
	})
}

func TestTheOthersGetTheShareOfWhoIsEjected(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a, b).share(b, 100))
		w.set(b, syscall.ECONNREFUSED)
		l := gets(t, p, b)
		if _, err := l.Dial(t.Context()); err == nil {
			t.Fatal("the dial succeeded")
		}
		l.Done(false)
		gets(t, p, a).Done(false)
	})
}

func TestAStickyClientStaysWhileItsBackendIsInThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b))
		for range 5 {
			l, err := p.pick(t.Context(), b, nil)
			if err != nil || l.ID() != b {
				t.Fatalf("got %v, %v", l, err)
			}
		}
		p.set(these(a, b).draining(b))
		l, err := p.pick(t.Context(), b, nil)
		if err != nil || l.ID() != a {
			t.Fatalf("after it left: got %v, %v", l, err)
		}
	})
}

func TestWhoRefusedBeforeIsAskedLast(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b))
		for range 3 {
			if l := given(t, p, a); l.ID() != b {
				t.Fatalf("got %s", l.ID())
			}
		}
		p.set(these(a))
		if l := given(t, p, a); l.ID() != a {
			t.Fatalf("got %s", l.ID())
		}
	})
}

func TestADrainingBackendGetsNothingNew(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b))
		l := gets(t, p, a)
		leaving, drained := l.Signals()
		p.set(these(a, b).draining(a))
		if !isClosed(leaving) || isClosed(drained) {
			t.Errorf("leaving closed: %t, drained closed: %t", isClosed(leaving), isClosed(drained))
		}
		for range 4 {
			gets(t, p, b)
		}
		if s := state(t, p, a); !s.Draining || s.InFlight != 1 {
			t.Errorf("it says %+v", s)
		}
	})
}

func TestWhatIsInFlightGoesOnUpToTheDrainAndIsCutThen(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b).drain(5 * time.Second))
		l, other := gets(t, p, a), gets(t, p, b)
		_, drained := l.Signals()
		var cut atomic.Bool
		l.onCut(func() { cut.Store(true) })
		other.onCut(func() { t.Error("one that stays was cut") })
		p.set(these(a, b).drain(5 * time.Second).draining(a))
		pass(4999 * time.Millisecond)
		if cut.Load() || isClosed(drained) {
			t.Fatal("cut too early")
		}
		pass(2 * time.Millisecond)
		if !cut.Load() || !isClosed(drained) {
			t.Fatal("not cut")
		}
		l.Done(true)
		if n := totals(p).Cut; n != 1 {
			t.Errorf("%d are counted as cut", n)
		}
	})
}

func TestABackendThatLeavesTheTableDrainsAndIsForgotten(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a, b))
		l := gets(t, p, a)
		_, drained := l.Signals()
		p.set(these(b))
		if s := state(t, p, a); !s.Draining || s.InFlight != 1 {
			t.Errorf("it says %+v", s)
		}
		gets(t, p, b)
		l.Done(false)
		if s := state(t, p, a); s != (State{}) {
			t.Errorf("it still says %+v", s)
		}
		if !isClosed(drained) {
			t.Error("nobody was told that the drain is over")
		}
	})
}

func TestWhoComesBackWhileDrainingIsNotCut(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a).drain(time.Second))
		l := gets(t, p, a)
		l.onCut(func() { t.Error("cut") })
		p.set(these(a).drain(time.Second).draining(a))
		p.set(these(a).drain(time.Second))
		pass(time.Minute)
		_, before := l.Signals()
		leaving, drained := gets(t, p, a).Signals()
		if isClosed(before) || isClosed(leaving) || isClosed(drained) || before == drained {
			t.Error("the second stay is not one of its own")
		}
		l.Done(false)
		if !isClosed(before) {
			t.Error("the first stay never ends")
		}
	})
}

func TestTheDrainCutsWhatAnEarlierStayLeft(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a).drain(time.Second))
		l := gets(t, p, a)
		p.set(these().drain(time.Second))
		p.set(these(a).drain(time.Second))
		p.set(these().drain(time.Second))
		pass(time.Second)
		if _, drained := l.Signals(); !isClosed(drained) {
			t.Error("not cut")
		}
	})
}

func TestTheSameTableTwiceDoesNotRestartTheDrain(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a).drain(3 * time.Second))
		_, drained := gets(t, p, a).Signals()
		for range 3 {
			p.set(these(a).drain(3 * time.Second).draining(a))
			pass(time.Second)
		}
		synctest.Wait()
		if !isClosed(drained) {
			t.Error("not cut three seconds after it left")
		}
	})
}

func TestAnotherDrainCountsFromTheLeaving(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a).drain(time.Hour))
		_, drained := gets(t, p, a).Signals()
		p.set(these(a).drain(time.Hour).draining(a))
		pass(time.Second)
		p.set(these(a).drain(2 * time.Second).draining(a))
		pass(time.Second)
		if !isClosed(drained) {
			t.Error("not cut two seconds after it left")
		}
	})
}

func TestAnEmptyPoolWithoutAHoldRefuses(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a).draining(a))
		if _, err := p.pick(t.Context(), "", nil); !errors.Is(err, errRefused) {
			t.Errorf("got %v", err)
		}
		if n := totals(p).Refused; n != 1 {
			t.Errorf("%d are counted as refused", n)
		}
	})
}

// picks begins to pick in the background.
func picks(ctx context.Context, p *pool) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, err := p.pick(ctx, "", nil)
		result <- err
	}()
	synctest.Wait()
	return result
}

func TestAHoldLetsWaitUntilSomebodyEnters(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these().held(10, time.Minute))
		result := picks(t.Context(), p)
		pass(50 * time.Second)
		var answer Answer
		if p.fill(&answer); answer.Waiting != 1 || answer.Totals.Held != 1 {
			t.Errorf("it says %+v", answer)
		}
		entered := time.Now()
		p.set(these(a)) // the hold ends with the same table
		if err := <-result; err != nil || time.Since(entered) != 0 {
			t.Errorf("got %v after %s", err, time.Since(entered))
		}
	})
}

func TestAHoldIsBoundedInTime(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these().held(10, 7*time.Second))
		began := time.Now()
		if err := <-picks(t.Context(), p); !errors.Is(err, errTooLong) || time.Since(began) != 7*time.Second {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		if n := totals(p).HeldTooLong; n != 1 {
			t.Errorf("%d are counted", n)
		}
	})
}

func TestAHoldIsBoundedInNumber(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these().held(2, time.Minute))
		first, second := picks(t.Context(), p), picks(t.Context(), p)
		if err := <-picks(t.Context(), p); !errors.Is(err, errTooMany) {
			t.Errorf("the third got %v", err)
		}
		p.set(these(a))
		if err := errors.Join(<-first, <-second); err != nil {
			t.Error(err)
		}
		if n := totals(p); n.HeldTooMany != 1 || n.Held != 2 {
			t.Errorf("counted %+v", n)
		}
	})
}

func TestTheEndOfAHoldRefusesWhoWaits(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these().held(10, time.Hour))
		result := picks(t.Context(), p)
		p.set(these())
		if err := <-result; !errors.Is(err, errRefused) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAClientThatGoesDoesNotWaitAnyMore(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these().held(1, time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		result := picks(ctx, p)
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		var answer Answer
		if p.fill(&answer); answer.Waiting != 0 {
			t.Errorf("%d wait", answer.Waiting)
		}
	})
}

// misses has a dial fail.
func misses(t *testing.T, p *pool, id string) {
	t.Helper()
	l := gets(t, p, id)
	if _, err := l.Dial(t.Context()); err == nil {
		t.Fatal("the dial succeeded")
	}
	l.Done(false)
}

func TestWhoCannotBeConnectedToIsEjectedUntilAProbeSucceeds(t *testing.T) {
	for _, why := range []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, context.DeadlineExceeded, &net.DNSError{IsNotFound: true}} {
		t.Run(why.Error(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *pool, w *world) {
				p.set(these(a, b))
				w.set(a, why)
				misses(t, p, a)
				if s := state(t, p, a); !s.Ejected || s.Failed != 1 || s.Served != 0 || s.InFlight != 0 {
					t.Errorf("it says %+v", s)
				}
				for range 3 {
					gets(t, p, b)
				}
				w.set(a, nil)
				pass(firstProbe)
				gets(t, p, a)
			})
		})
	}
}

func TestARestartOfTheOnlyBackendCostsNobody(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a))
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		result := picks(t.Context(), p)
		pass(1500 * time.Millisecond)
		w.set(a, nil)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestWhereAllAreEjectedOneWaitsTwoSeconds(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a))
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		began := time.Now()
		if err := <-picks(t.Context(), p); !errors.Is(err, errTooLong) || time.Since(began) != probing {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestProbesBackOffUpToTwoSeconds(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a))
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		pass(9 * time.Second)
		var want []time.Duration
		for _, ms := range []int{0, 100, 300, 700, 1500, 3100, 5100, 7100} {
			want = append(want, time.Duration(ms)*time.Millisecond)
		}
		if got := w.dialled(a); !slices.Equal(got, want) {
			t.Errorf("dialled at %v, want %v", got, want)
		}
	})
}

func TestProbesAreFrequentWhileSomebodyWaits(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a).held(1, time.Minute))
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		pass(30 * time.Second)
		result := picks(t.Context(), p)
		w.set(a, nil)
		began := time.Now()
		if err := <-result; err != nil || time.Since(began) > firstProbe {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestTheProbeOfARemovedBackendEnds(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a, b))
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		p.set(these(b))
		pass(time.Minute)
		if n := len(w.dialled(a)); n != 1 {
			t.Errorf("dialled %d times", n)
		}
	})
}

func TestWhatTheGateLacksEjectsNobody(t *testing.T) {
	for _, why := range []error{fmt.Errorf("dial: %w", syscall.EMFILE), syscall.EADDRNOTAVAIL, context.Canceled} {
		inPool(t, func(t *testing.T, p *pool, w *world) {
			p.set(these(a))
			w.set(a, why)
			misses(t, p, a)
			if s := state(t, p, a); s.Ejected || s.Failed != 0 {
				t.Errorf("%v: it says %+v", why, s)
			}
		})
	}
}

func TestServedIsWhatReachedTheBackend(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a))
		gets(t, p, a).Done(false) // over a connection that http had left
		l := gets(t, p, a)
		if _, err := l.Dial(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Done(false)
		w.set(a, syscall.ECONNREFUSED)
		misses(t, p, a)
		if s := state(t, p, a); s.Served != 2 || s.Failed != 1 {
			t.Errorf("it says %+v", s)
		}
	})
}

func TestAnotherPortIsAnotherBackend(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, _ *world) {
		p.set(these(a))
		old := gets(t, p, a)
		moved := these(a)
		moved.Backends[0].Port = 81
		p.set(moved)
		if leaving, _ := old.Signals(); !isClosed(leaving) {
			t.Error("what was on the other port does not leave")
		}
		if l := gets(t, p, a); l.member.backend.Port != 81 {
			t.Errorf("port %d got it", l.member.backend.Port)
		}
	})
}
