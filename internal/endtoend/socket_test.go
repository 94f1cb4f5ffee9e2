package endtoend_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// socket is a WebSocket (RFC 6455) to an instance that echoes.
type socket struct {
	*caller
	version string // of the instance
}

// The opcodes of frames.
const (
	text    = 1
	closing = 8
)

func openSocket(address string) (*socket, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	res, err := c.upgrade() //nolint:bodyclose // what follows is no body
	if err == nil && (res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
		err = fmt.Errorf("no WebSocket: %s", res.Status)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return &socket{caller: c, version: res.Header.Get("X-Version")}, nil
}

// upgrade sends the key of the example in RFC 6455, section 1.3.
func (c *caller) upgrade() (*http.Response, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, err := io.WriteString(c.conn, "GET /socket HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return nil, err
	}
	return http.ReadResponse(c.in, nil)
}

// echo sends a frame, which must come back.
func (s *socket) echo(opcode byte, payload string) error {
	if err := s.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	frame := append([]byte{0x80 | opcode, 0x80 | byte(len(payload))}, mask[:]...)
	for i := range payload {
		frame = append(frame, payload[i]^mask[i%len(mask)])
	}
	if _, err := s.conn.Write(frame); err != nil {
		return err
	}
	back := make([]byte, 2+len(payload))
	if _, err := io.ReadFull(s.in, back); err != nil {
		return err
	}
	if back[0] != 0x80|opcode || int(back[1]) != len(payload) || string(back[2:]) != payload {
		return errors.New("another frame came back")
	}
	return nil
}

// crowd is people who each have a WebSocket open, say something all the time, and
// come back when it breaks.
type crowd struct {
	address string
	ctx     context.Context
	end     context.CancelFunc
	all     sync.WaitGroup

	mu     sync.Mutex
	echoes int
	broken []breach
	lost   []string // could not come back
}

// breach is a WebSocket that broke.
type breach struct {
	version string // of the instance
	at      time.Time
	why     error
}

// gathered returns n people when all of them have been answered. They go when the
// returned crowd is asked to.
func gathered(t testing.TB, address string, n int) *crowd {
	t.Helper()
	c := &crowd{address: address}
	c.ctx, c.end = context.WithCancel(context.Background())
	t.Cleanup(c.leave)
	var here sync.WaitGroup
	here.Add(n)
	for range n {
		c.all.Go(func() { c.stay(here.Done) })
	}
	here.Wait()
	return c
}

func (c *crowd) leave() {
	c.end()
	c.all.Wait()
}

// stay is one's life in the crowd.
func (c *crowd) stay(here func()) {
	for first := true; first || c.ctx.Err() == nil; first = false {
		s, err := openSocket(c.address)
		if err == nil {
			err = s.echo(text, "hello")
		}
		if first {
			here()
		}
		if err != nil {
			c.note(func() { c.lost = append(c.lost, "open: "+err.Error()) })
			return
		}
		if err := c.talk(s); err != nil {
			c.note(func() { c.broken = append(c.broken, breach{s.version, time.Now(), err}) })
		}
	}
}

// talk goes on until the crowd goes, or the socket breaks.
func (c *crowd) talk(s *socket) error {
	defer s.close()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return s.echo(closing, "\x03\xe8") // it comes back
		case <-tick.C:
			if err := s.echo(text, "still here"); err != nil {
				return err
			}
			c.note(func() { c.echoes++ })
		}
	}
}

func (c *crowd) note(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}
