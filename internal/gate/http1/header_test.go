package http1

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhatTheBackendSeesOfTheHeaders(t *testing.T) {
	heads := make(chan string, 1)
	gate, _ := gateTo(t, scripted(t, func(c *peer) {
		for {
			head := c.head()
			if head == "" {
				return
			}
			heads <- head
			c.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}))
	const added = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
	for _, c := range []struct{ name, in, out string }{
		{"bytes stay", "Host: a\r\nx-ODD:  two  spaces \r\nX-Odd: again\r\n", "Host: a\r\nx-ODD:  two  spaces \r\nX-Odd: again\r\n" + added},
		{"addresses are appended", "Host: a\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX: y\r\nx-forwarded-for: 3.3.3.3\r\n",
			"Host: a\r\nX: y\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"},
		{"a proxy before the gate knows better", "Host: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n",
			"Host: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-For: 127.0.0.1\r\n"},
		{"what concerns one connection", "Host: a\r\nConnection: keep-alive, X-Own\r\nKeep-Alive: 300\r\nX-Own: 1\r\nProxy-Connection: x\r\nProxy-Authorization: y\r\nTE: gzip\r\nX: y\r\n",
			"Host: a\r\nX: y\r\n" + added},
		{"what Connection cannot take away", "Host: a\r\nConnection: Host, Content-Length, X-Forwarded-For, X-Forwarded-Proto\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n",
			"Host: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 1.1.1.1, 127.0.0.1\r\nX-Forwarded-Host: a\r\nContent-Length: 0\r\n"},
		{"trailers are asked for", "Host: a\r\nTE: trailers, deflate\r\n", "Host: a\r\n" + added + "Connection: TE\r\nTE: trailers\r\n"},
		{"a change of protocols", "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n",
			"Host: a\r\nSec-WebSocket-Key: k\r\n" + added + "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
		{"no change that Connection does not name", "Host: a\r\nUpgrade: websocket\r\n", "Host: a\r\n" + added},
		{"no second way to HTTP/2", "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", "Host: a\r\n" + added},
		{"many headers", strings.Repeat("X: y\r\n", maxFields-1) + "Host: a\r\n", strings.Repeat("X: y\r\n", maxFields-1) + "Host: a\r\n" + added},
		{"a large head", "Host: a\r\nX: " + strings.Repeat("y", 40_000) + "\r\n", "Host: a\r\nX: " + strings.Repeat("y", 40_000) + "\r\n" + added},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := dial(t, gate)
			client.send("GET /p?q HTTP/1.1\r\n" + c.in + "\r\n")
			client.want(200, "")
			if got := closed(t, heads, "the head"); got != "GET /p?q HTTP/1.1\r\n"+c.out+"\r\n" {
				t.Errorf("the backend saw\n%s\nwant\n%s", got, c.out)
			}
		})
	}
}

func TestAStickyClientStaysAtItsBackend(t *testing.T) {
	name := func(s string) string {
		return served(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Me", s) })
	}
	pool := newPool()
	a, b := pool.join("aaa", name("aaa")), pool.join("bbb", name("bbb"))
	gate := serve(t, &Proxy{Pool: pool, Sticky: true})
	c := dial(t, gate)
	ask := func(cookies string) (backend, set string) {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n" + cookies + "\r\n")
		res := c.want(200, "")
		return res.Header.Get("Me"), res.Header.Get("Set-Cookie")
	}
	for _, id := range []string{"aaa", "bbb", "aaa"} {
		for _, cookies := range []string{
			"Cookie: syncd-gate=" + id + "\r\n",
			"Cookie: a=b; syncd-gate=" + id + "; c=d\r\n",
			"Cookie: xsyncd-gate=zzz; syncd-gate=" + id + "\r\nCookie: d=e\r\n",
		} {
			if got, set := ask(cookies); got != id || set != "" {
				t.Errorf("%q: got %s, cookie %q", cookies, got, set)
			}
		}
	}
	for _, cookies := range []string{"", "Cookie: a=b\r\n", "Cookie: syncd-gate=\r\n", "Cookie: syncd-gate=ccc\r\n"} {
		if got, set := ask(cookies); set != "syncd-gate="+got+"; Path=/; HttpOnly; SameSite=Lax" {
			t.Errorf("%q: got %s, cookie %q", cookies, got, set)
		}
	}
	pool.leave(a)
	if got, set := ask("Cookie: syncd-gate=aaa\r\n"); got != b.id || !strings.HasPrefix(set, "syncd-gate=bbb;") {
		t.Errorf("after it has left: got %s, cookie %q", got, set)
	}
}
