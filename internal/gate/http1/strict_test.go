package http1

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A request that two readers could understand differently reaches no backend.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	const ok = "Host: a\r\n"
	chunked := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"length and coding", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"coding and length", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400},
		{"a list of lengths", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 4, 4\r\n\r\nabcd", 400},
		{"a signed length", "POST / HTTP/1.1\r\n" + ok + "Content-Length: +4\r\n\r\nabcd", 400},
		{"a negative length", "POST / HTTP/1.1\r\n" + ok + "Content-Length: -4\r\n\r\nabcd", 400},
		{"a hexadecimal length", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 0x4\r\n\r\nabcd", 400},
		{"an empty length", "POST / HTTP/1.1\r\n" + ok + "Content-Length:\r\n\r\n", 400},
		{"a length beyond an int64", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 9223372036854775808\r\n\r\n", 400},
		{"a length with a space in it", "POST / HTTP/1.1\r\n" + ok + "Content-Length: 4 4\r\n\r\nabcd", 400},
		{"an unknown coding", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: gzip\r\n\r\n", 501},
		{"an almost known coding", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: xchunked\r\n\r\n", 501},
		{"two codings", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{"two lines of codings", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
		{"identity", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: identity\r\n\r\n", 501},
		{"a quoted coding", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
		{"a coding after a vertical tab", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding: \x0bchunked\r\n\r\n", 400},
		{"a coding in HTTP/1.0", "POST / HTTP/1.0\r\n" + ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"a space before the colon", "POST / HTTP/1.1\r\n" + ok + "Content-Length : 4\r\n\r\nabcd", 400},
		{"a tab before the colon", "POST / HTTP/1.1\r\n" + ok + "Transfer-Encoding\t: chunked\r\n\r\n", 400},
		{"a continued line", "GET / HTTP/1.1\r\n" + ok + "X: a\r\n b\r\n\r\n", 400},
		{"a continued first line", "GET / HTTP/1.1\r\n X: a\r\n" + ok + "\r\n", 400},
		{"no colon", "GET / HTTP/1.1\r\n" + ok + "X\r\n\r\n", 400},
		{"no name", "GET / HTTP/1.1\r\n" + ok + ": x\r\n\r\n", 400},
		{"a NUL in a name", "GET / HTTP/1.1\r\n" + ok + "X\x00: a\r\n\r\n", 400},
		{"a NUL in a value", "GET / HTTP/1.1\r\n" + ok + "X: a\x00b\r\n\r\n", 400},
		{"a CR in a value", "GET / HTTP/1.1\r\n" + ok + "X: a\rY: b\r\n\r\n", 400},
		{"DEL in a value", "GET / HTTP/1.1\r\n" + ok + "X: a\x7fb, and more\r\n\r\n", 400},
		{"bytes beyond ASCII in a name", "GET / HTTP/1.1\r\n" + ok + "X\xc3\xa4: a\r\n\r\n", 400},
		{"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
		{"bare LF after a header", "GET / HTTP/1.1\r\n" + ok + "X: a\nY: b\r\n\r\n", 400},
		{"bare LF before the end", "GET / HTTP/1.1\r\n" + ok + "X: a\r\n\n", 400},
		{"CR CR LF", "GET / HTTP/1.1\r\n" + ok + "X: a\r\r\n\r\n", 400},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
		{"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
		{"a host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
		{"two hosts, one in the target", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"two spaces", "GET  / HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a tab for a space", "GET\t/ HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a space in the target", "GET /a b HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a control character in the target", "GET /a\x01b HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a broken escape", "GET /%zz HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a target without a slash", "GET index.html HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a target of another scheme", "GET ftp://a/ HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a target with a user", "GET http://u:p@a/ HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"a star that is no OPTIONS", "GET * HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"no version", "GET /\r\n" + ok + "\r\n", 400},
		{"a lower-case version", "GET / http/1.1\r\n" + ok + "\r\n", 400},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + ok + "\r\n", 505},
		{"HTTP/1.2", "GET / HTTP/1.2\r\n" + ok + "\r\n", 505},
		{"HTTP/11.1", "GET / HTTP/11.1\r\n" + ok + "\r\n", 400},
		{"a bad method", "G(T / HTTP/1.1\r\n" + ok + "\r\n", 400},
		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
		{"a trailer that frames", "POST / HTTP/1.1\r\n" + ok + "Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"bare LF after a chunk's size", chunked + "4\nabcd\r\n0\r\n\r\n", 400},
		{"bare CR in a chunk's line", chunked + "4;a\rb\r\nabcd\r\n0\r\n\r\n", 400},
		{"bare LF in a chunk's extension", chunked + "4;a\nabcd\r\n0\r\n\r\n", 400},
		{"bare LF after a chunk", chunked + "4\r\nabcd\n0\r\n\r\n", 400},
		{"a chunk that is longer", chunked + "4\r\nabcde\r\n0\r\n\r\n", 400},
		{"a chunk without a size", chunked + "\r\n\r\n", 400},
		{"a chunk with 0x", chunked + "0x4\r\nabcd\r\n0\r\n\r\n", 400},
		{"a chunk with a sign", chunked + "+4\r\nabcd\r\n0\r\n\r\n", 400},
		{"a chunk with a space before its size", chunked + " 4\r\nabcd\r\n0\r\n\r\n", 400},
		{"a chunk with a space after its size", chunked + "4 \r\nabcd\r\n0\r\n\r\n", 400},
		{"a chunk's size of an exbibyte", chunked + "1000000000000000\r\nabcd\r\n0\r\n\r\n", 400},
		{"a chunk's size beyond 64 bits", chunked + "10000000000000004\r\nabcd\r\n0\r\n\r\n", 400},
		{"bare LF at the end of chunks", chunked + "0\r\n\n", 400},
		{"bare LF in a trailer", chunked + "0\r\nX: a\n\r\n", 400},
		{"a trailer that is no header", chunked + "0\r\nGET / HTTP/1.1\r\n\r\n", 400},
		{"an endless chunk line", chunked + "4;" + strings.Repeat("a", 5000), 400},
		{"an endless trailer", chunked + "0\r\nX: " + strings.Repeat("a", 9000) + "\r\n\r\n", 431},
		{"too large a head", "GET / HTTP/1.1\r\n" + ok + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", 431},
		{"too large a target", "GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\n" + ok + "\r\n", 431},
		{"too many headers", "GET / HTTP/1.1\r\n" + ok + strings.Repeat("X: a\r\n", maxFields) + "\r\n", 431},
		{"Connection with too many names", "GET / HTTP/1.1\r\n" + ok + "Connection: " + strings.Repeat("x,", maxNominated+1) + "\r\n\r\n", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			var reached atomic.Int32
			gate, pool := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err == nil {
					reached.Add(1)
				}
			}))
			client := dial(t, gate)
			client.send(c.request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
			res, body := client.answer("GET")
			if res.StatusCode != c.status || !res.Close || !strings.HasPrefix(body, "syncd-gate: ") {
				t.Errorf("got %d (close %v) %q, want %d", res.StatusCode, res.Close, body, c.status)
			}
			client.ended()
			if n := reached.Load(); n > 0 {
				t.Errorf("%d requests reached the backend (%d leases)", n, pool.picks.Load())
			}
		})
	}
}

// What is odd but means one thing only is served.
func TestUnusualRequestsAreServed(t *testing.T) {
	type seen struct{ uri, host, body, length string }
	got := make(chan seen, 1)
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.RequestURI, r.Host, string(body), fmt.Sprint(r.ContentLength)}
	}))
	for _, c := range []struct {
		name, request string
		want          seen
	}{
		{"equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", seen{"/", "a", "abcd", "4"}},
		{"zeros before a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 004\r\n\r\nabcd", seen{"/", "a", "abcd", "4"}},
		{"a length of nothing", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", seen{"/", "a", "", "0"}},
		{"upper-case chunks", "POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:CHUNKED\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\n", seen{"/", "a", "0123456789", "-1"}},
		{"an absolute target", "GET http://b:81/x?y=/ HTTP/1.1\r\nHost: a\r\n\r\n", seen{"/x?y=/", "b:81", "", "0"}},
		{"an absolute target without a path", "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n", seen{"/?y", "b", "", "0"}},
		{"an address for a target", "GET HTTP://[::1]:80 HTTP/1.1\r\nHost: a\r\n\r\n", seen{"/", "[::1]:80", "", "0"}},
		{"two slashes", "GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", seen{"//b/c", "a", "", "0"}},
		{"bytes beyond ASCII", "GET /\xc3\xa4?\xff HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n", seen{"/\xc3\xa4?\xff", "a", "", "0"}},
		{"an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", seen{"/", "", "", "0"}},
		{"a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", seen{"/", "a", "abc", "3"}},
		{"a method of its own", "PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n", seen{"/x", "a", "", "0"}},
		{"no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", seen{"/", gate, "", "0"}},
		{"a broken escape in a query", "GET /?%zz HTTP/1.1\r\nHost: a\r\n\r\n", seen{"/?%zz", "a", "", "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := dial(t, gate)
			client.send(c.request)
			client.want(200, "")
			if s := <-got; s != c.want {
				t.Errorf("the backend saw %+v, want %+v", s, c.want)
			}
		})
	}
	t.Run("OPTIONS *", func(t *testing.T) { // which net/http answers itself
		client := dial(t, gate)
		client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
		client.want(200, "")
	})
}

func TestBadResponsesAreAnsweredWith502(t *testing.T) {
	for name, response := range map[string]string{
		"nothing":                  "",
		"half a line":              "HTTP/1.1 200",
		"half a head":              "HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/0.9":                 "hello\r\n\r\n",
		"HTTP/2":                   "HTTP/2 200 OK\r\n\r\n",
		"a short status":           "HTTP/1.1 20 OK\r\n\r\n",
		"a status of words":        "HTTP/1.1 abc\r\n\r\n",
		"a low status":             "HTTP/1.1 099 X\r\n\r\n",
		"length and coding":        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":              "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"a bad length":             "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabcd",
		"another coding":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"a coding in HTTP/1.0":     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"a space before the colon": "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
		"a continued line":         "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
		"a NUL":                    "HTTP/1.1 200 OK\r\nX: a\x00\r\n\r\n",
		"a CR in a value":          "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n",
		"a bad first chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"too large a head":         "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 70<<10) + "\r\n\r\n",
		"an unasked change":        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"endless interim ones":     strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			gate, _ := gateTo(t, scripted(t, func(c *peer) {
				c.head()
				_, _ = io.WriteString(c, response) // it may be cut off in the midst
			}))
			c := dial(t, gate)
			c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
			res, body := c.answer("POST")
			for res.StatusCode == 102 {
				res, body = c.answer("POST")
			}
			if res.StatusCode != 502 || !strings.HasPrefix(body, "syncd-gate: ") {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
		})
	}
}

// Sloppy is what real backends are, and nothing of it can be misunderstood.
func TestSloppyResponsesPass(t *testing.T) {
	for name, response := range map[string]string{
		"bare LF":             "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
		"no reason":           "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
		"padded chunk sizes":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5   \r\nhello\r\n0\r\n\r\n",
		"equal lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"hop-by-hop headers":  "HTTP/1.1 200 OK\r\nConnection: X-Own\r\nX-Own: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nContent-Length: 5\r\n\r\nhello",
		"one byte at a time":  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"an unasked continue": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"more than announced": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world",
	} {
		t.Run(name, func(t *testing.T) {
			gate, _ := gateTo(t, scripted(t, func(c *peer) {
				for c.head() != "" {
					if name != "one byte at a time" {
						c.send(response)
						continue
					}
					for i := range response {
						c.send(response[i : i+1])
					}
				}
			}))
			c := dial(t, gate)
			for range 2 {
				c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				res, body := c.answer("GET")
				for res.StatusCode == 100 {
					res, body = c.answer("GET")
				}
				if res.StatusCode != 200 || body != "hello" {
					t.Fatalf("got %d %q", res.StatusCode, body)
				}
				for _, name := range []string{"X-Own", "Keep-Alive", "Proxy-Connection", "Connection"} {
					if v := res.Header.Get(name); v != "" {
						t.Errorf("%s: %s", name, v)
					}
				}
			}
		})
	}
}

func TestHeadersInPieces(t *testing.T) {
	gate, _ := gateTo(t, served(t, echo))
	c := dial(t, gate)
	const request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n"
	for range 2 {
		for i := range request {
			c.send(request[i : i+1])
		}
		c.want(200, "hello!")
	}
}

func TestSlowHeadsEndWith408(t *testing.T) {
	address := serve(t, &Proxy{Pool: newPool("127.0.0.1:1"), HeaderTimeout: 30 * time.Millisecond})
	c := dial(t, address)
	c.send("GET / HTTP/1.1\r\nHost:")
	if res, _ := c.answer("GET"); res.StatusCode != 408 {
		t.Errorf("got %d", res.StatusCode)
	}
	c.ended()
}

func TestIdleConnectionsEnd(t *testing.T) {
	backend := served(t, echo)
	address := serve(t, &Proxy{Pool: newPool(backend), IdleTimeout: 50 * time.Millisecond})
	fresh, used := dial(t, address), dial(t, address)
	used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	used.want(200, "")
	for _, c := range []*peer{fresh, used} {
		if got := c.ended(); got != "" {
			t.Errorf("got %q", got)
		}
	}
}
