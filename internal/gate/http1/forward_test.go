package http1

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// bodySizes straddle every buffer on the way.
var bodySizes = []int{0, 1, 1000, 4095, 4096, 16<<10 - 200, 16 << 10, 16<<10 + 1, 40 << 10, 64 << 10, 100_000, 3 << 20}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	if r.URL.Query().Has("chunked") {
		w.(http.Flusher).Flush()
	} else {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	_, _ = w.Write(body)
}

func TestBodiesOfAllSizesGoBothWays(t *testing.T) {
	gate, _ := gateTo(t, served(t, echo))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for _, size := range bodySizes {
		for _, up := range []string{"length", "chunked"} {
			for _, down := range []string{"length", "chunked"} {
				t.Run(fmt.Sprintf("%d %s %s", size, up, down), func(t *testing.T) {
					want := pattern(size)
					var body io.Reader = bytes.NewReader(want)
					if up == "chunked" {
						body = io.MultiReader(body)
					}
					res, err := client.Post("http://"+gate+"/?"+down, "text/plain", body)
					if err != nil {
						t.Fatal(err)
					}
					defer res.Body.Close()
					got, err := io.ReadAll(res.Body)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%d bytes, %v", len(got), err)
					}
				})
			}
		}
	}
}

func TestResponsesWithoutABody(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("Content-Length", "77")
			w.WriteHeader(304)
		case "/chunked":
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "abc")
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	c := dial(t, gate)
	for range 2 { // each leaves the connection usable
		for _, ask := range []struct {
			line   string
			status int
			length int64
		}{
			{"GET /204", 204, 0}, {"GET /304", 304, -1}, {"HEAD /304", 304, -1},
			{"HEAD /", 200, 5}, {"HEAD /chunked", 200, -1}, {"GET /", 200, 5},
		} {
			method, _, _ := strings.Cut(ask.line, " ")
			c.send(ask.line + " HTTP/1.1\r\nHost: a\r\n\r\n")
			res, _ := c.answer(method)
			if res.StatusCode != ask.status || method == "HEAD" && res.ContentLength != ask.length {
				t.Errorf("%s: got %d, length %d", ask.line, res.StatusCode, res.ContentLength)
			}
		}
	}
}

func TestTrailersAndChunkExtensions(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "Sum")
		_, _ = fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("Up"))
		w.(http.Flusher).Flush()
		w.Header().Set("Sum", "42")
	}))
	c := dial(t, gate)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nTrailer: Up\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"3;ext=\"a b\"\r\nabc\r\n2\r\nde\r\n0;last\r\nUp: high\r\nHost: evil\r\n\r\n")
	res := c.want(200, "abcde high")
	if got := res.Trailer.Get("Sum"); got != "42" {
		t.Errorf("trailer %q", got)
	}
}

func TestInterimResponsesPass(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		body, _ := io.ReadAll(r.Body) // which sends 100
		_, _ = w.Write(body)
	}))
	var interim []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			interim = append(interim, code)
			return nil
		},
		Got100Continue: func() { interim = append(interim, 100) },
	})
	transport := &http.Transport{ExpectContinueTimeout: deadline}
	t.Cleanup(transport.CloseIdleConnections)
	for _, size := range []int{3, 100_000} {
		interim = nil
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://"+gate, bytes.NewReader(pattern(size)))
		req.Header.Set("Expect", "100-continue")
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if len(got) != size || !slices.Contains(interim, 103) || !slices.Contains(interim, 100) {
			t.Errorf("%d of %d bytes, interim %v", len(got), size, interim)
		}
	}
}

func TestARefusedExpectationEndsTheConnection(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }))
	c := dial(t, gate)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	res, _ := c.answer("POST")
	if res.StatusCode != 401 || !res.Close {
		t.Errorf("got %d, close %v", res.StatusCode, res.Close)
	}
	c.ended()
}

func TestEventsArriveAtOnce(t *testing.T) {
	next := make(chan string)
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for e := range next {
			_, _ = io.WriteString(w, e)
			w.(http.Flusher).Flush()
		}
	}))
	res, err := http.Get("http://" + gate)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for i := range 5 {
		e := fmt.Sprintf("data: %d\n\n", i)
		next <- e
		got := make([]byte, len(e))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != e {
			t.Fatalf("%q, %v", got, err)
		}
	}
	close(next)
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestAResponseMayBeginBeforeTheRequestHasEnded(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, strings.ToUpper(line))
			w.(http.Flusher).Flush()
		}
	}))
	c := dial(t, gate)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200") {
		t.Fatal(head)
	}
	for range 3 {
		c.send("6\r\nhello\n\r\n")
		if got := c.exactly(11); got != "6\r\nHELLO\n\r\n" {
			t.Fatalf("got %q", got)
		}
	}
	c.send("0\r\n\r\n")
	if got := c.exactly(5); got != "0\r\n\r\n" {
		t.Fatalf("got %q", got)
	}
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") // and the connection goes on
	c.want(200, "")
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s%s", r.URL.Path, body)
	}))
	c := dial(t, gate)
	c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
		"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" +
		"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n\r\n" +
		"GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	for _, want := range []string{"/1", "/2ab", "/3cd", "/4"} {
		c.want(200, want)
	}
	c.ended()
}

func TestHTTP10ClientsAreServed(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chunked" {
			w.WriteHeader(103)
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "hello "+r.Proto)
	}))
	t.Run("it gets the end of the connection for the end of chunks", func(t *testing.T) {
		c := dial(t, gate)
		c.send("GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		if got := c.ended(); !strings.HasSuffix(got, "\r\n\r\nhello HTTP/1.1") || strings.Contains(got, "hunked") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("it keeps the connection if it asks", func(t *testing.T) {
		c := dial(t, gate)
		for range 2 {
			c.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
			if res := c.want(200, "hello HTTP/1.1"); res.Header.Get("Connection") != "keep-alive" {
				t.Error(res.Header)
			}
		}
		c.send("GET / HTTP/1.0\r\n\r\n")
		c.want(200, "hello HTTP/1.1")
		c.ended()
	})
}

func TestAResponseDelimitedByTheEndOfTheConnection(t *testing.T) {
	for _, size := range []int{5, 300_000} {
		body := string(pattern(size))
		gate, _ := gateTo(t, scripted(t, func(c *peer) {
			c.head()
			c.send("HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" + body)
		}))
		c := dial(t, gate)
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if res := c.want(200, body); !res.Close {
			t.Error("the client is not told that the connection ends")
		}
	}
}

func TestKeepAliveFollowsBothSides(t *testing.T) {
	var conns atomic.Int32
	gate, _ := gateTo(t, scripted(t, func(c *peer) {
		conns.Add(1)
		for {
			head := c.head()
			if head == "" {
				return
			}
			last := ""
			if strings.Contains(head, "GET /close ") {
				last = "Connection: close\r\n"
			}
			c.send("HTTP/1.1 200 OK\r\n" + last + "Content-Length: 2\r\n\r\nok")
			if last != "" {
				return
			}
		}
	}))
	c := dial(t, gate)
	for i, path := range []string{"/", "/", "/close", "/"} {
		c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n")
		if res := c.want(200, "ok"); res.Close {
			t.Errorf("%d: the backend's end of a connection became the client's", i)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections to the backend, want 2", n)
	}
}

func TestACutShortResponseIsNotTakenForAWholeOne(t *testing.T) {
	for name, res := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"bad":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
		"close":   "HTTP/1.1 200 OK\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			gate, _ := gateTo(t, scripted(t, func(c *peer) {
				c.head()
				c.send(res)
				if name == "close" {
					c.t.Helper()
					_ = c.SetLinger(0)
				}
			}))
			got, err := http.Get("http://" + gate)
			if err != nil {
				return
			}
			defer got.Body.Close()
			if body, err := io.ReadAll(got.Body); err == nil && got.StatusCode == 200 {
				t.Errorf("got %q without an error", body)
			}
		})
	}
}

func TestHTTP2IsHandedOver(t *testing.T) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	p := &Proxy{Pool: newPool("127.0.0.1:1"), HTTP2: func(_ context.Context, c net.Conn) error {
		defer c.Close()
		got := make([]byte, len(preface)+4)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != preface+"more" {
			t.Errorf("%q, %v", got, err)
		}
		_, err := io.WriteString(c, "two")
		return err
	}}
	c := dial(t, serve(t, p))
	c.send(preface)
	c.send("more")
	if got := c.ended(); got != "two" {
		t.Errorf("got %q", got)
	}
}
