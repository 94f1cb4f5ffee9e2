package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
)

// How long accepting pauses after an error: at first, and at most.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// door is the gate's port. Its methods are for one goroutine at a time.
type door struct {
	at     string             // ADDRESS:PORT instead of the edge network's and the table's; for tests
	crowd  *crowd             // knows whether there is room
	enter  func(*net.TCPConn) // takes a client; does not wait
	failed func(error)        // is told of accepting that failed
	now    *opening           // nil while closed
}

// opening is one time that the port is open.
type opening struct {
	address  string // ADDRESS:PORT
	listener *net.TCPListener
	closing  context.CancelFunc
	accepts  sync.WaitGroup
}

// open opens the port, and closes another one that is open.
func (d *door) open(ctx context.Context, port uint16) error {
	addr, err := d.wanted(port)
	if err != nil {
		return err
	}
	if d.now != nil && d.now.address == addr {
		return nil
	}
	l, err := listenTCP(ctx, addr)
	if err != nil {
		err = fault.As(fault.Blocked, fmt.Errorf("open the gate's port: %w", err))
		return fault.Hint(err, "it is tried again every second; see what else listens there")
	}
	err = d.close()
	d.begin(ctx, l)
	return err
}

// listenTCP listens for what speaks TCP alone, not for Multipath TCP too, as Go
// would: such a socket costs more and knows fewer options.
func listenTCP(ctx context.Context, addr string) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAlive: -1, Control: incoming}
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// begin accepts on a listener until close.
func (d *door) begin(ctx context.Context, l *net.TCPListener) {
	o := &opening{address: l.Addr().String(), listener: l}
	if d.at != "" {
		d.at = o.address // a port that the kernel chose is kept
	}
	ctx, o.closing = context.WithCancel(context.WithoutCancel(ctx))
	o.accepts.Go(func() { d.accept(ctx, l) })
	d.now = o
}

// wanted is the ADDRESS:PORT to listen on.
func (d *door) wanted(port uint16) (string, error) {
	if d.at != "" {
		return d.at, nil
	}
	addr, err := edgeAddress()
	if err != nil {
		return "", err
	}
	return netip.AddrPortFrom(addr, port).String(), nil
}

// address is where the port is open; empty while it is closed.
func (d *door) address() string {
	if d.now == nil {
		return ""
	}
	return d.now.address
}

// accept lets clients in until ctx ends. Where there is no room, and after an
// error, such as a want of descriptors, they wait in the kernel's queue.
func (d *door) accept(ctx context.Context, l *net.TCPListener) {
	pause := firstPause
	for d.crowd.awaitRoom(ctx) {
		conn, err := l.AcceptTCP()
		if err == nil {
			pause = firstPause
			d.enter(conn)
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		d.failed(err)
		_ = nap.For(ctx, pause) // the loop sees the end
		pause = min(2*pause, lastPause)
	}
}

// close closes the port. Who is in the kernel's queue by then is let in, room or
// not.
func (d *door) close() error {
	o := d.now
	if o == nil {
		return nil
	}
	d.now = nil
	err := o.shut()
	o.closing()
	o.accepts.Wait()
	late, err2 := o.queued()
	for _, conn := range late {
		d.enter(conn)
	}
	return errors.Join(err, err2, o.listener.Close())
}
