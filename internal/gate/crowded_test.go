package gate

import (
	"io"
	"net/http"
	"testing"
)

// Clients that send a request's head byte by byte, or none, cost a descriptor
// each and nothing else: no backend is taken up by them, and nobody waits.
func TestSlowClientsKeepNobodyOut(t *testing.T) {
	b := web(t, 1, names)
	g := start(t, table(HTTP, b))
	const slow = 200
	beginnings := []string{"", "G", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", "PRI * HTTP/2.0\r\n\r\nSM"}
	for i := range slow {
		conn, err := dialGate(g)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, beginnings[i%len(beginnings)]); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all have come", func() bool { return g.Answer().Totals.Accepted == slow })
	for _, two := range []bool{false, true} {
		if status, said, _ := answerOf(t, browser(t, two), g, "/"); status != http.StatusOK {
			t.Errorf("%d: %s", status, said)
		}
	}
	if a := g.Answer(); a.Backends[0].InFlight != 0 || a.Backends[0].Served != 2 || a.Waiting != 0 {
		t.Errorf("it says %+v", a)
	}
}
