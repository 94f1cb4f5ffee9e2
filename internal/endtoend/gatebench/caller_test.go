package gatebench_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	request = "GET /some/where?it=is HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: gatebench/1.0\r\nAccept: */*\r\n\r\n"
	body    = 1 << 10 // bytes of each answer's body
	patient = 10 * time.Second
)

// caller is one client's connection. It costs as little as can be: one write and
// mostly one read for each request.
type caller struct {
	net.Conn
	answer [4 << 10]byte
}

func dial(address string) (*caller, error) {
	conn, err := net.DialTimeout("tcp", address, patient)
	if err != nil {
		return nil, err
	}
	return &caller{Conn: conn}, nil
}

// dialAll opens connections, each of which has been answered once.
func dialAll(address string, n int) ([]*caller, error) {
	callers := make([]*caller, 0, n)
	for range n {
		c, err := dial(address)
		if err != nil {
			return nil, errors.Join(err, hangUp(callers))
		}
		callers = append(callers, c)
		if err := errors.Join(c.SetDeadline(time.Now().Add(time.Minute)), c.ask()); err != nil {
			return nil, errors.Join(err, hangUp(callers))
		}
	}
	return callers, nil
}

func hangUp(callers []*caller) error {
	var failed error
	for _, c := range callers {
		failed = errors.Join(failed, c.Close())
	}
	return failed
}

// ask sends a request and reads the whole answer.
func (c *caller) ask() error {
	if err := c.send(); err != nil {
		return err
	}
	return c.receive()
}

func (c *caller) send() error {
	_, err := c.Write([]byte(request))
	return err
}

func (c *caller) receive() error {
	for n, whole := 0, len(c.answer); n < whole; {
		more, err := c.Read(c.answer[n:])
		if err != nil {
			return err
		}
		n += more
		if end := bytes.Index(c.answer[:n], []byte("\r\n\r\n")); end >= 0 {
			whole = end + 4 + body
		}
	}
	if !bytes.HasPrefix(c.answer[:], []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("got %.40q", c.answer[:])
	}
	return nil
}

// closedLoop has each of some connections ask again as soon as it is answered.
// It returns how long each answer took.
func closedLoop(address string, conns int, span time.Duration) (sample, error) {
	callers, err := dialAll(address, conns)
	if err != nil {
		return sample{}, err
	}
	took, failed := make([][]time.Duration, conns), make([]error, conns)
	var all sync.WaitGroup
	began := time.Now()
	for i, c := range callers {
		all.Go(func() { took[i], failed[i] = c.askFor(began.Add(span)) })
	}
	all.Wait()
	s := sample{span: time.Since(began)}
	for _, some := range took {
		s.took = append(s.took, some...)
	}
	return s, errors.Join(errors.Join(failed...), hangUp(callers))
}

// askFor asks until a moment.
func (c *caller) askFor(until time.Time) ([]time.Duration, error) {
	took := make([]time.Duration, 0, 1<<14)
	for at := time.Now(); at.Before(until); {
		if err := c.ask(); err != nil {
			return took, err
		}
		now := time.Now()
		took = append(took, now.Sub(at))
		at = now
	}
	return took, nil
}
