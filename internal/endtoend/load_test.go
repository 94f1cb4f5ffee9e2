package endtoend_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is a steady stream of requests to one port, half of them GET and half POST.
// None is sent again: lost is what did not get its whole answer.
type load struct {
	t       testing.TB
	address string
	ctx     context.Context
	end     context.CancelFunc
	all     sync.WaitGroup

	mu   sync.Mutex
	asks int
	last time.Time // of an answer
	now  tally     // since the last turn
	sum  tally
}

// tally is what became of requests.
type tally struct {
	total  int
	lost   []string
	served map[string]int // by version
	gap    time.Duration  // the longest time without an answer
}

func (t *tally) book(version string, err error, gap time.Duration) {
	t.total++
	if err != nil {
		t.lost = append(t.lost, err.Error())
		return
	}
	if t.served == nil {
		t.served = map[string]int{}
	}
	t.served[version]++
	t.gap = max(t.gap, gap)
}

func (t *tally) String() string {
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(t.served)) {
		parts = append(parts, fmt.Sprintf("%d by %s", t.served[v], v))
	}
	return fmt.Sprintf("%d requests, %d lost, longest gap %s; served %s", t.total, len(t.lost), t.gap.Round(time.Millisecond), strings.Join(parts, ", "))
}

// loaded sends a request to a port every so often, each on a connection of its own,
// until the returned load is stopped.
func loaded(t testing.TB, address string, every time.Duration) *load {
	t.Helper()
	l := newLoad(t, address)
	l.all.Go(func() { l.steadily(every, func() { l.all.Go(l.alone) }) })
	return l
}

// loadedBy is loaded with requests of the caller's own: send returns the version
// that answered the nth.
func loadedBy(t testing.TB, every time.Duration, send func(n int) (version string, err error)) *load {
	t.Helper()
	l := newLoad(t, "")
	l.all.Go(func() {
		l.steadily(every, func() {
			l.all.Go(func() {
				version, err := send(l.number())
				l.book(&answer{version: version}, err)
			})
		})
	})
	return l
}

func newLoad(t testing.TB, address string) *load {
	l := &load{t: t, address: address, last: time.Now()}
	l.ctx, l.end = context.WithCancel(context.Background())
	t.Cleanup(l.stop)
	return l
}

// kept sends more on n connections that stay open, every so often on each.
func (l *load) kept(n int, every time.Duration) {
	for range n {
		l.all.Go(func() {
			var c *caller
			l.steadily(every, func() { c = l.onward(c) })
			if c != nil {
				c.close()
			}
		})
	}
}

func (l *load) steadily(every time.Duration, do func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do()
		case <-l.ctx.Done():
			return
		}
	}
}

// alone makes a request on a connection of its own.
func (l *load) alone() {
	c, err := dial(l.address)
	if err != nil {
		l.book(nil, err)
		return
	}
	defer c.close()
	l.book(c.ask(l.number(), true))
}

// onward makes a request on a connection that is open, and returns it, or a new
// one; nil where it broke.
func (l *load) onward(c *caller) *caller {
	if c == nil {
		var err error
		if c, err = dial(l.address); err != nil {
			l.book(nil, err)
			return nil
		}
	}
	a, err := c.ask(l.number(), false)
	l.book(a, err)
	if err != nil || a.last {
		c.close()
		return nil
	}
	return c
}

// slowly begins n requests that are answered in that time; the returned function
// waits for the answers.
func (l *load) slowly(n int, later time.Duration) (wait func()) {
	l.t.Helper()
	var begun, all sync.WaitGroup
	begun.Add(n)
	for range n {
		all.Go(func() {
			c, err := dial(l.address)
			var a *answer
			if err == nil {
				defer c.close()
				a, err = c.begin(l.number(), later, true)
			}
			begun.Done()
			if err == nil {
				err = a.end()
			}
			l.book(a, err)
		})
	}
	begun.Wait()
	return all.Wait
}

func (l *load) number() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks++
	return l.asks
}

func (l *load) book(a *answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := time.Since(l.last)
	version := ""
	if err == nil {
		l.last, version = time.Now(), a.version
	}
	l.now.book(version, err, gap)
	l.sum.book(version, err, gap)
}

// turn returns what became of requests since the last turn.
func (l *load) turn() tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now
	l.now = tally{}
	return now
}

// made counts the requests so far.
func (l *load) made() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum.total
}

func (l *load) stop() {
	l.end()
	l.all.Wait()
}
