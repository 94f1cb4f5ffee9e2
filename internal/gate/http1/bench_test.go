package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkProxy holds the gate's loop against httputil.ReverseProxy, in front
// of the same backend in the same run.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		backend := sizedBackend(b, size)
		ways := []struct {
			name    string
			address string
		}{
			{"direct", backend},
			{"gate", serve(b, &Proxy{Pool: newPool(backend)})},
			{"reverseproxy", reverseProxy(b, backend)},
		}
		for _, conns := range []int{1, 64} {
			for _, way := range ways {
				for method, request := range map[string]string{
					"GET":  "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
					"POST": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n" + string(make([]byte, size)),
				} {
					b.Run(fmt.Sprintf("%s/size=%d/conns=%d/%s", method, size, conns, way.name), func(b *testing.B) {
						if lost := load(b, way.address, conns, request); lost > 0 && way.name == "gate" {
							b.Errorf("%d requests were lost", lost)
						}
					})
				}
			}
		}
	}
}

func sizedBackend(b testing.TB, size int) string {
	body := bytes.Repeat([]byte("x"), size)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func reverseProxy(b testing.TB, backend string) string {
	to := &url.URL{Scheme: "http", Host: backend}
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to); r.SetXForwarded() },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // it loses a few, which are counted
	})
	b.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	return s.Listener.Addr().String()
}

// load sends b.N requests over a number of connections, with a client that costs
// as little as can be, and counts those that were lost.
func load(b *testing.B, address string, conns int, request string) (lost int64) {
	var left, failed atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	clients := make([]*client, conns)
	for i := range clients {
		clients[i] = &client{address: address}
		if err := clients[i].dial(); err != nil {
			b.Fatal(err)
		}
		defer clients[i].Close()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if once(c, c.r, request) == nil {
					continue
				}
				failed.Add(1)
				_ = c.Close()
				if err := c.dial(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(failed.Load()), "lost")
	return failed.Load()
}

type client struct {
	net.Conn
	address string
	r       *bufio.Reader
}

func (c *client) dial() (err error) {
	if c.Conn, err = net.Dial("tcp", c.address); err == nil {
		c.r = bufio.NewReaderSize(c.Conn, 64<<10)
	}
	return err
}

func once(c net.Conn, r *bufio.Reader, request string) error {
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			return fmt.Errorf("got %s", line)
		case len(line) == 2:
			_, err := r.Discard(length)
			return err
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[16:])))
		}
	}
}
