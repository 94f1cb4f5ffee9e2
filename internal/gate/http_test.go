package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// web starts a backend that speaks HTTP/1.1 and HTTP/2 without TLS.
func web(t testing.TB, n byte, handle http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{Backend: Backend{ID: fmt.Sprintf("127.0.1.%d", n)}, t: t}
	ln, err := net.Listen("tcp", b.ID+":0")
	if err != nil {
		t.Fatal(err)
	}
	b.Port = addrPort(ln.Addr()).Port()
	both := new(http.Protocols)
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: both, Handler: handle, ReadHeaderTimeout: limit, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			b.held.Add(1)
		case http.StateClosed:
			b.held.Add(-1)
		}
	}}
	b.runs.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() {
		_ = server.Close()
		b.runs.Wait()
	})
	return b
}

// names answers with the backend's address and what it was asked.
func names(w http.ResponseWriter, r *http.Request) {
	at := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	fmt.Fprint(w, addrPort(at).Addr(), " ", r.Proto)
}

// browser asks a gate, over HTTP/1.1 or 2.
func browser(t testing.TB, two bool) *http.Client {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(!two)
	p.SetUnencryptedHTTP2(two)
	transport := &http.Transport{Protocols: p}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: limit}
}

// answerOf is a response's status and body.
func answerOf(t testing.TB, c *http.Client, g *Gate, path string) (int, string, http.Header) {
	t.Helper()
	res, err := c.Get("http://" + g.Answer().Address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header
}

// bothVersions runs a test with clients of HTTP/1.1 and of HTTP/2.
func bothVersions(t *testing.T, test func(t *testing.T, c *http.Client, proto string)) {
	for proto, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(proto, func(t *testing.T) { test(t, browser(t, two), proto) })
	}
}

func TestEachRequestIsBalanced(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, proto string) {
		v1, v2 := web(t, 1, names), web(t, 2, names)
		g := start(t, table(HTTP, v1, v2))
		counts := map[string]int{}
		for range 20 {
			status, text, _ := answerOf(t, c, g, "/")
			if status != http.StatusOK {
				t.Fatal(status, text)
			}
			counts[text]++
		}
		if counts[v1.ID+" "+proto] != 10 || counts[v2.ID+" "+proto] != 10 {
			t.Errorf("got %v", counts)
		}
		if n := g.Answer(); n.Totals.Accepted != 1 || n.Backends[0].Served != 10 {
			t.Errorf("it says %+v", n)
		}
	})
}

func TestTheBackendIsToldWhoAsks(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		got := make(chan *http.Request, 1)
		b := web(t, 1, func(_ http.ResponseWriter, r *http.Request) { got <- r })
		g := start(t, table(HTTP, b))
		ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.Answer().Address, nil)
		if err != nil {
			t.Fatal(err)
		}
		ask.Host = "shop.example.org"
		ask.Header.Set("X-Forwarded-For", "192.0.2.7")
		ask.Header.Set("X-Forwarded-Proto", "https")
		res, err := c.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		r := <-got
		for name, want := range map[string]string{"X-Forwarded-For": "192.0.2.7, 127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example.org"} {
			if have := strings.Join(r.Header.Values(name), ", "); have != want {
				t.Errorf("%s is %q, want %q", name, have, want)
			}
		}
		if r.Host != "shop.example.org" {
			t.Errorf("the host is %q", r.Host)
		}
	})
}

func TestAStickyClientComesBackToItsBackend(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		v1, v2 := web(t, 1, names), web(t, 2, names)
		sticky := table(HTTP, v1, v2)
		sticky.Sticky = true
		g := start(t, sticky)
		c.Jar = jar{}
		_, first, head := answerOf(t, c, g, "/")
		if got := head.Get("Set-Cookie"); !strings.HasPrefix(got, stickyCookie+"=127.0.1.") || !strings.HasSuffix(got, "; Path=/; HttpOnly; SameSite=Lax") {
			t.Errorf("the cookie is %q", got)
		}
		for range 5 {
			if _, text, head := answerOf(t, c, g, "/"); text != first || head.Get("Set-Cookie") != "" {
				t.Errorf("then %q, %v", text, head)
			}
		}
		apply(t, g, sticky.draining(strings.Fields(first)[0]))
		if _, text, head := answerOf(t, c, g, "/"); text == first || head.Get("Set-Cookie") == "" {
			t.Errorf("after it left: %q, %v", text, head)
		}
	})
}

func TestARequestInFlightEndsWhileItsBackendDrains(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		asked, answer := make(chan struct{}), make(chan struct{})
		old := web(t, 1, func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-answer
			fmt.Fprint(w, "done")
		})
		fresh := web(t, 2, names)
		g := start(t, table(HTTP, old))
		result := make(chan string, 1)
		go func() {
			res, err := c.Get("http://" + g.Answer().Address)
			if err != nil {
				result <- err.Error()
				return
			}
			defer res.Body.Close()
			raw, _ := io.ReadAll(res.Body)
			result <- string(raw)
		}()
		<-asked
		apply(t, g, table(HTTP, old, fresh).draining(old.ID))
		for range 5 {
			if _, text, _ := answerOf(t, c, g, "/"); !strings.HasPrefix(text, fresh.ID) {
				t.Errorf("got %q", text)
			}
		}
		close(answer)
		if got := <-result; got != "done" {
			t.Errorf("got %q", got)
		}
		until(t, "it has drained", func() bool { return g.Answer().Backends[0].InFlight == 0 })
	})
}

func TestARequestThatOutlastsTheDrainIsCut(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		b := web(t, 1, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // the gate hangs up
		})
		g := start(t, table(HTTP, b))
		res, err := c.Get("http://" + g.Answer().Address)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		apply(t, g, table(HTTP).drain(20*time.Millisecond))
		if _, err := io.ReadAll(res.Body); err == nil {
			t.Error("the cut looks like the response's end")
		}
		until(t, "it is counted", func() bool {
			n := g.Answer()
			return n.Totals.Cut == 1 && len(n.Backends) == 0
		})
	})
}

func TestAHeldRequestIsAnsweredOrTold(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		b := web(t, 1, names)
		g := start(t, table(HTTP).held(1, 100*time.Millisecond))
		status, text, head := answerOf(t, c, g, "/")
		if status != http.StatusServiceUnavailable || head.Get("Retry-After") == "" {
			t.Errorf("got %d %q %v", status, text, head)
		}
		apply(t, g, table(HTTP).held(1, limit))
		go func() {
			until(t, "it waits", func() bool { return g.Answer().Waiting == 1 })
			apply(t, g, table(HTTP, b))
		}()
		if status, text, _ := answerOf(t, c, g, "/"); status != http.StatusOK {
			t.Errorf("got %d %q", status, text)
		}
	})
}

func TestARequestThatReachesNobodyGoesToSomebodyElse(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		down := serve(t, 1, echo)
		down.close()
		up := web(t, 2, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
		g := start(t, table(HTTP, down, up))
		for range 4 {
			res, err := c.Post("http://"+g.Answer().Address, "text/plain", strings.NewReader("once"))
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || string(raw) != "once" {
				t.Errorf("got %d %q, %v", res.StatusCode, raw, err)
			}
		}
		if s := g.Answer().Backends[0]; s.Failed != 1 || s.Served != 0 {
			t.Errorf("it says %+v", s)
		}
	})
}

func TestTheEndAnswersWhatWasAsked(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		asked, answer := make(chan struct{}, 1), make(chan struct{})
		b := web(t, 1, func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			<-answer
			fmt.Fprint(w, "done")
		})
		ctx, end := context.WithCancel(t.Context())
		g := startIn(ctx, t, place(t), "127.0.0.1:0")
		apply(t, g, table(HTTP, b).drain(limit))
		go func() {
			<-asked
			end()
			until(t, "the port is closed", func() bool { return !g.Answer().Listening })
			close(answer)
		}()
		if status, text, _ := answerOf(t, c, g, "/"); status != http.StatusOK || text != "done" {
			t.Errorf("got %d %q", status, text)
		}
		g.Wait() // the connection, idle now, does not hold it up
		if n := g.Answer().Totals; n.Cut != 0 {
			t.Errorf("counted %+v", n)
		}
	})
}

func TestAStreamIsPassedOnAsItComes(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		next := make(chan struct{})
		b := web(t, 1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			for i := range 3 {
				fmt.Fprintln(w, i)
				_ = http.NewResponseController(w).Flush()
				<-next
			}
			w.Header().Set("X-Sum", "3")
		})
		g := start(t, table(HTTP, b))
		res, err := c.Get("http://" + g.Answer().Address)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		for i := range 3 {
			if !lines.Scan() || lines.Text() != fmt.Sprint(i) {
				t.Fatalf("got %q, %v", lines.Text(), lines.Err())
			}
			next <- struct{}{}
		}
		if lines.Scan() || lines.Err() != nil || res.Trailer.Get("X-Sum") != "3" {
			t.Errorf("at the end: %q, %v, %v", lines.Text(), lines.Err(), res.Trailer)
		}
	})
}

func TestAClientThatGoesEndsItsRequest(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		var ended atomic.Bool
		asked := make(chan struct{})
		b := web(t, 1, func(_ http.ResponseWriter, r *http.Request) {
			close(asked)
			<-r.Context().Done()
			ended.Store(true)
		})
		g := start(t, table(HTTP, b))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.Answer().Address, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(ask)
		if err == nil {
			_ = res.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		until(t, "the backend hears of it", ended.Load)
		until(t, "nothing is in flight", func() bool { return g.Answer().Backends[0].InFlight == 0 })
		if n := g.Answer().Totals.Cut; n != 0 {
			t.Errorf("%d are counted as cut", n)
		}
	})
}

func TestIdleConnectionsToWhoLeavesAreClosed(t *testing.T) {
	bothVersions(t, func(t *testing.T, c *http.Client, _ string) {
		b := web(t, 1, names)
		g := start(t, table(HTTP, b))
		for range 2 { // stays
			answerOf(t, c, g, "/")
			if n := b.held.Load(); n != 1 {
				t.Errorf("%d connections are open", n)
			}
			apply(t, g, table(HTTP, b).draining(b.ID))
			until(t, "its connection is closed", func() bool { return b.held.Load() == 0 })
			apply(t, g, table(HTTP, b))
		}
	})
}
