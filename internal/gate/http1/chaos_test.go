package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestChaos lets clients send what they like, and leave when they like, while
// backends come and go, some without a farewell. Whatever was answered has to be
// the right answer, and in the end nothing is left over.
func TestChaos(t *testing.T) {
	pool := newPool()
	address, stop := start(t, &Proxy{Pool: pool})
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() { wild(ctx, t, address, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	all.Go(func() { comeAndGo(ctx, t, pool) })
	all.Wait()
	eventually(t, "all leases are over", func() bool { return idle(pool) })
	stop()
	t.Logf("%d requests, %d cut", pool.picks.Load(), pool.cuts.Load())
}

func comeAndGo(ctx context.Context, t *testing.T, pool *testPool) {
	pick := rand.New(rand.NewPCG(2, 2))
	for ctx.Err() == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		s := &http.Server{Handler: http.HandlerFunc(echo)}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		m := pool.join(l.Addr().String(), l.Addr().String())
		pause(ctx, time.Duration(pick.IntN(100))*time.Millisecond)
		switch pick.IntN(3) {
		case 0: // it dies while in the pool
			_ = s.Close()
			pool.leave(m)
		case 1: // its drain is short
			pool.leave(m)
			pause(ctx, 5*time.Millisecond)
		default:
			pool.leave(m)
			m.flight.Wait()
		}
		close(m.drained)
		_ = s.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wild is one client after the other.
func wild(ctx context.Context, t *testing.T, address string, pick *rand.Rand) {
	for ctx.Err() == nil {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.SetDeadline(time.Now().Add(deadline))
		r := bufio.NewReader(c)
		for range pick.IntN(20) {
			if err := wildRequest(ctx, t, c.(*net.TCPConn), r, pick); err != nil {
				break
			}
		}
		_ = c.Close()
	}
}

var errLeft = errors.New("the client has left")

func wildRequest(ctx context.Context, t *testing.T, c *net.TCPConn, r *bufio.Reader, pick *rand.Rand) error {
	body := pattern(pick.IntN(1 << pick.IntN(20)))
	var request bytes.Buffer
	req, err := http.NewRequestWithContext(ctx, "POST", "http://a/?"+[]string{"chunked", "length"}[pick.IntN(2)], bytes.NewReader(body))
	if err != nil {
		return err
	}
	if pick.IntN(2) == 0 {
		req.ContentLength, req.TransferEncoding = -1, []string{"chunked"}
	}
	if err := req.Write(&request); err != nil {
		return err
	}
	b := request.Bytes()
	cut := pick.IntN(len(b) + 1)
	if _, err := c.Write(b[:cut]); err != nil {
		return err
	}
	switch pick.IntN(12) {
	case 0:
		_ = c.SetLinger(0)
		return errLeft
	case 1:
		return errLeft
	case 2:
		pause(ctx, 2*patience)
	}
	if _, err := c.Write(b[cut:]); err != nil {
		return err
	}
	if pick.IntN(12) == 0 {
		return errLeft
	}
	res, err := http.ReadResponse(r, req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, int64(1+pick.IntN(2<<20))))
	switch {
	case err != nil:
		return err
	case res.StatusCode == 200 && !bytes.HasPrefix(body, got):
		t.Errorf("got %d bytes, of another answer", len(got))
	case res.StatusCode != 200 && res.StatusCode < 500:
		t.Errorf("got %s", res.Status)
	case len(got) != len(body) || res.Close:
		return fmt.Errorf("%w in the midst", errLeft)
	}
	return nil
}
