package endtoend_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// A gate is asked seldom while those who leave have something in flight: each
// question is an exec, which costs the engine much. It says itself when they have
// finished.
func TestADrainIsAwaitedByFewQuestions(t *testing.T) {
	h := newHost(t)
	port := freePort(t)
	compose := strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	conn := busy(t, port)
	p := newProxy(t)
	h.engine = p.address
	h.deploy(version(compose, "2"))
	begun := time.Now()
	h.want(h.sync(), reconcile.Applied)
	asked := questions(p.take())
	t.Logf("%d questions in %s", asked, time.Since(begun))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlived the drain")
	}
	// One tells who enters and who leaves; the others await two seconds.
	if asked == 0 || asked > 5 {
		t.Errorf("the gate was asked %d times", asked)
	}
}

// questions counts the execs until the old instance is stopped.
func questions(calls []string) (n int) {
	for _, call := range calls {
		switch {
		case strings.HasSuffix(call, "/stop"):
			return n
		case strings.HasPrefix(call, "POST ") && strings.HasSuffix(call, "/start") && strings.Contains(call, "/exec/"):
			n++
		}
	}
	return n
}

// busy has a connection in flight that stays.
func busy(t *testing.T, port string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", port, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	return conn
}
