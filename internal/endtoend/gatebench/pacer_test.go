package gatebench_test

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// openConns is how many connections an open loop has; one of them is nearly
// always free.
const openConns = 64

// openLoop sends requests at a steady rate, whether or not those before have been
// answered. How long an answer took counts from the moment on that its request
// was due, so that nothing that was late is overlooked.
func openLoop(address string, perSecond float64, span time.Duration) (sample, error) {
	callers, err := dialAll(address, openConns)
	if err != nil {
		return sample{}, err
	}
	p := &pacer{began: time.Now(), free: make(chan *paced, openConns)}
	var all sync.WaitGroup
	for _, c := range callers {
		a := &paced{caller: c}
		p.free <- a
		all.Go(func() { p.collect(a) })
	}
	failed := p.send(perSecond, span)
	for range openConns { // all are answered
		<-p.free
	}
	s := sample{span: time.Since(p.began), took: p.took}
	err = hangUp(callers)
	all.Wait()
	return s, errors.Join(failed, p.failed, err)
}

// pacer sends requests on connections that are free.
type pacer struct {
	began time.Time
	free  chan *paced

	mu     sync.Mutex
	took   []time.Duration
	failed error
}

type paced struct {
	*caller
	due    atomic.Int64 // since the pacer began
	broken atomic.Bool  // nobody collects any more
}

func (c *paced) sends() error {
	if c.broken.Load() {
		return net.ErrClosed
	}
	return c.caller.send()
}

// send has a thread of its own, whose sleep is finer than that of Go's timers,
// which is a millisecond where nothing else is to be done.
func (p *pacer) send(perSecond float64, span time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const setTimerSlack = 29 // PR_SET_TIMERSLACK, prctl(2)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1000, 0); errno != 0 {
		return errno
	}
	for n := 0; ; n++ {
		due := time.Duration(float64(n) / perSecond * float64(time.Second))
		if due >= span {
			return nil
		}
		if left := due - time.Since(p.began); left > 0 {
			pause := syscall.NsecToTimespec(int64(left))
			_ = syscall.Nanosleep(&pause, nil)
		}
		c := <-p.free
		c.due.Store(int64(due))
		if err := c.sends(); err != nil {
			p.free <- c
			return err
		}
	}
}

// collect receives what comes on a connection until it is closed.
func (p *pacer) collect(c *paced) {
	for {
		err := c.receive()
		took := time.Since(p.began) - time.Duration(c.due.Load())
		if errors.Is(err, net.ErrClosed) {
			return
		}
		p.mu.Lock()
		p.took = append(p.took, took)
		p.failed = errors.Join(p.failed, err)
		p.mu.Unlock()
		c.broken.Store(err != nil)
		p.free <- c
		if err != nil {
			return
		}
	}
}
