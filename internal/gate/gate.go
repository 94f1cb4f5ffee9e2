// Package gate is the proxy that owns one published port of a service while the
// containers behind it change: it knows who serves and who drains, lets new
// connections wait instead of being refused, and closes what does not end in
// time.
//
// The agent tells it everything in one Table, and gets an Answer. The package
// uses the standard library only, and Linux.
package gate

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"time"
)

const (
	// relisten is how long after a failure the port is tried again.
	relisten = time.Second
	// lastMoment is what is given, after the end of the last drain, to those who
	// have been told that it is over.
	lastMoment = time.Second
)

// Options are what a gate is started with.
type Options struct {
	// Dir holds the table, and the socket that another one is handed over by. The
	// gate must be able to write there.
	Dir string
	// Listen, if set, is the ADDRESS:PORT to listen on, whatever table and network
	// say. For port 0 the kernel chooses one, once.
	Listen string
	// Inside are the gate's addresses in the networks of those it serves. Nil is all
	// that it has but that of the edge network.
	Inside func() ([]netip.Addr, error)
	// Version is what the gate's answers say of its program.
	Version string
	// Log is told what happens to the pool and to the port, nothing per connection.
	// Nil is nobody.
	Log *slog.Logger
}

// Gate is a running gate.
type Gate struct {
	opts    Options
	store   store
	pool    *pool
	stock   *stock
	http    *httpMode
	crowd   *crowd
	control *control

	open  context.Context // until the end begins
	begin context.CancelFunc
	life  context.Context // until nothing may be in flight any more
	cut   context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex // one table at a time
	door   door
	inside inside
	table  Table
	digest string // of the table; empty without one
	unread error  // why the table on disk is not in force
	shut   error  // why the port is not open
	retry  *time.Timer
	ending bool
}

// Start reads the table that lies in the directory, opens the port, and takes
// tables on the socket; an error says that it cannot. Without a table, or with
// one that cannot be read, it waits for one. When ctx ends, the gate accepts
// nothing more, and what is in flight gets the table's drain to end; Close does
// not wait for that.
func Start(ctx context.Context, opts Options) (*Gate, error) {
	if opts.Inside == nil {
		opts.Inside = insideAddresses
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	c, err := listen(ctx, filepath.Join(opts.Dir, socketFile))
	if err != nil {
		return nil, err
	}
	g := &Gate{opts: opts, store: store{filepath.Join(opts.Dir, TableFile)}, stock: newStock(), crowd: newCrowd(), control: c, ended: make(chan struct{})}
	g.open, g.begin = context.WithCancel(ctx)
	g.life, g.cut = context.WithCancel(context.WithoutCancel(ctx))
	g.pool = newPool(g.life, newDialer().dial, opts.Log)
	g.http = newHTTPMode(g.pool, opts.Log)
	g.door = *g.makeDoor(opts.Listen)
	g.inside = inside{addresses: opts.Inside, door: g.makeDoor, doors: map[netip.AddrPort]*door{}}
	g.load()
	g.control.serve(g.Apply, g.Settled)
	go g.run()
	return g, nil
}

// makeDoor makes a door, which is closed yet.
func (g *Gate) makeDoor(at string) *door {
	return &door{at: at, crowd: g.crowd, enter: g.enter, failed: g.notAccepted}
}

// Wait returns when the gate has ended.
func (g *Gate) Wait() { <-g.ended }

// Close ends the gate at once and cuts what is in flight.
func (g *Gate) Close() {
	g.begin()
	g.cut()
	g.Wait()
}

// run waits for the end and carries it out.
func (g *Gate) run() {
	defer close(g.ended)
	<-g.open.Done()
	drain := g.shutPort()
	g.http.end(g.life)
	gone := g.crowd.dispersed()
	if await(gone, drain, g.life.Done()) {
		g.pool.cutAll()
		await(gone, lastMoment, g.life.Done())
	}
	g.cut()
	g.crowd.disperse()
	<-gone
	g.http.close()
	g.pool.close()
	g.stock.close()
	g.control.close()
}

// shutPort closes the port for good and returns how long the drain may take.
func (g *Gate) shutPort() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = true
	g.settle()
	return g.table.complete().Drain.D()
}

// await waits until all have gone, for a limited time, unless there is a hurry. It
// tells whether the time is over.
func await(gone <-chan struct{}, limit time.Duration, hurry <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-gone:
	case <-hurry:
	}
	return false
}
