package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
)

// TableFile is the table's file in a gate's directory: who makes a gate's
// container puts the first one there.
const TableFile = "table.json"

// socketFile is the control socket in a gate's directory.
const socketFile = "control.sock"

// One exchange on the control socket: the caller sends a line that says how long
// the gate may wait until it is settled, a table or nothing, and the end of its
// direction; the gate sends a reply and closes.
const (
	// exchangeLimit is how long one may take.
	exchangeLimit = 10 * time.Second
	// longestWait leaves the rest of an exchange its time.
	longestWait = exchangeLimit - 2*time.Second
	// maxLine is how long the line may be.
	maxLine = 64
	// maxCallers is how many there may be at once; others wait.
	maxCallers = 8
)

// reply is what the gate sends.
type reply struct {
	Answer *Answer     `json:"answer,omitempty"`
	Error  string      `json:"error,omitempty"`
	Hint   string      `json:"hint,omitempty"`
	Class  fault.Class `json:"class,omitempty"`
}

// control is the socket that tables are handed over by.
type control struct {
	listener *net.UnixListener
	calls    sync.WaitGroup
	stop     context.CancelFunc
	stopped  context.Context
}

// listen opens the socket. The gate's own user and root may use it.
func listen(ctx context.Context, path string) (*control, error) {
	if err := vacate(ctx, path); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		err = fault.As(fault.Blocked, fmt.Errorf("open the gate's control socket: %w", err))
		return nil, fault.Hint(err, "give the gate's user a directory that it may write, and a short path")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open the gate's control socket: %w", err), l.Close())
	}
	c := &control{listener: l.(*net.UnixListener)}
	c.stopped, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	return c, nil
}

// vacate removes the socket that a gate left which was killed.
func vacate(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the gate's control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fault.As(fault.Blocked, fmt.Errorf("open the gate's control socket: %s is something else", path))
	}
	d := net.Dialer{Timeout: exchangeLimit}
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		err = errors.Join(fmt.Errorf("open the gate's control socket: another gate answers at %s", path), conn.Close())
		return fault.Hint(fault.As(fault.Blocked, err), "one gate is enough; give another one another directory with -dir")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fault.As(fault.Blocked, fmt.Errorf("see whether a gate answers at %s: %w", path, err))
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the socket that a killed gate left: %w", err)
	}
	return nil
}

// serve answers callers until close.
func (c *control) serve(apply func(Table) error, settled func(context.Context) Answer) {
	slots := make(chan struct{}, maxCallers)
	c.calls.Go(func() {
		for c.stopped.Err() == nil {
			conn, err := c.listener.AcceptUnix()
			if err != nil {
				_ = nap.For(c.stopped, firstPause) // descriptors are short, or it is closed
				continue
			}
			slots <- struct{}{}
			c.calls.Go(func() {
				defer func() { <-slots }()
				defer context.AfterFunc(c.stopped, func() { _ = conn.Close() })()
				exchange(c.stopped, conn, apply, settled)
			})
		}
	})
}

// exchange answers one caller. One that does not listen is not waited for.
func exchange(ctx context.Context, conn *net.UnixConn, apply func(Table) error, settled func(context.Context) Answer) {
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(exchangeLimit)) != nil {
		return
	}
	var r reply
	if wait, err := handOver(conn, apply); err != nil {
		r = reply{Error: err.Error(), Hint: fault.Advice(err), Class: fault.Of(err)}
	} else {
		ctx, cancel := context.WithTimeout(ctx, min(wait, longestWait))
		defer cancel()
		a := settled(ctx)
		r.Answer = &a
	}
	_ = json.NewEncoder(conn).Encode(r)
}

// handOver applies the table that r holds, nothing is no table, and returns how
// long to wait then.
func handOver(r io.Reader, apply func(Table) error) (wait time.Duration, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxLine+MaxTable+1))
	if err != nil {
		return 0, fmt.Errorf("read the table: %w", err)
	}
	line, raw, _ := bytes.Cut(raw, []byte("\n"))
	if wait, err = time.ParseDuration(string(line)); err != nil {
		return 0, fault.As(fault.Rejected, fmt.Errorf("read how long to wait: %w", err))
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return wait, nil
	}
	t, err := Decode(raw)
	if err != nil {
		return 0, err
	}
	return wait, apply(t)
}

// close ends the socket.
func (c *control) close() {
	c.stop()
	_ = c.listener.Close() // it removes the socket
	c.calls.Wait()
}
