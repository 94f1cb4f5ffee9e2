package endtoend_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// patience is how long a client of the tests waits for anything.
const patience = 40 * time.Second

// caller is a client on one connection. It writes HTTP/1.1 by hand: net/http sends
// again what broke on a connection that it had used before, and tells nobody.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(address string) (*caller, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, in: bufio.NewReader(conn)}, nil
}

func (c *caller) close() { _ = c.conn.Close() }

// ask has something said back: every other time in the query of a
// GET, else in the body of a POST. The answer must be whole.
func (c *caller) ask(n int, last bool) (*answer, error) {
	a, err := c.begin(n, 0, last)
	if err != nil {
		return nil, err
	}
	return a, a.end()
}

// answer is one that has begun.
type answer struct {
	version string
	said    string
	last    bool // the other side closes the connection
	body    *bufio.Reader
	close   func() error
}

// begin sends a request, and returns when its answer has begun.
func (c *caller) begin(n int, later time.Duration, last bool) (*answer, error) {
	said := fmt.Sprintf("request-%d", n)
	method, query, body := http.MethodGet, "say="+said, ""
	if n%2 == 1 {
		method, query, body = http.MethodPost, "", said
	}
	var more string
	if last {
		more = "Connection: close\r\n"
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	_, err := fmt.Fprintf(c.conn, "%s /echo?after=%s&%s HTTP/1.1\r\nHost: shop\r\n%sContent-Length: %d\r\n\r\n%s", method, later, query, more, len(body), body)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	res, err := http.ReadResponse(c.in, nil) //nolint:bodyclose // the answer's end closes it
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		return nil, fmt.Errorf("%s: %s", res.Status, text)
	}
	a := &answer{said: said, last: res.Close, body: bufio.NewReader(res.Body), close: res.Body.Close}
	if a.version, err = a.body.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("half an answer: %w", err)
	}
	a.version = strings.TrimSpace(a.version)
	return a, nil
}

// end reads the rest of the answer.
func (a *answer) end() error {
	defer a.close() //nolint:errcheck // it was read to its end
	rest, err := io.ReadAll(a.body)
	if err != nil {
		return fmt.Errorf("half an answer: %w", err)
	}
	if got := strings.TrimSpace(string(rest)); got != a.said {
		return fmt.Errorf("asked to say %q, it said %q", a.said, got)
	}
	return nil
}

// askOnce returns the version that answers at a port, on a connection of its own.
func askOnce(port string) (string, error) {
	c, err := dial(port)
	if err != nil {
		return "", err
	}
	defer c.close()
	a, err := c.ask(0, true)
	if err != nil {
		return "", err
	}
	return a.version, nil
}

// asked is the version that answers at a port.
func (h *host) asked(port string) string {
	h.t.Helper()
	version, err := askOnce(port)
	h.must(err)
	return version
}
