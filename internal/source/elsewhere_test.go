package source_test

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// serveVariable names the repository that this program serves instead of testing.
const serveVariable = "SYNCDTEST_SERVE"

// remoteSite is a server in another process.
type remoteSite struct{ url, ca, count string }

// elsewhere serves a repository over HTTPS in another process, until the test ends.
func elsewhere(t testing.TB, g *repo) remoteSite {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveVariable+"="+g.dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewReader(out)
	var got [2]string
	for i := range got {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		got[i] = strings.TrimSpace(line)
	}
	cert, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	s := remoteSite{got[0] + "/.git", filepath.Join(t.TempDir(), "ca.pem"), got[1]}
	if err := os.WriteFile(s.ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// counts asks for how many requests and bytes the server has seen.
func (s remoteSite) counts(t testing.TB) (requests, bytes int64) {
	t.Helper()
	res, err := http.Get(s.count)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := fmt.Fscan(res.Body, &requests, &bytes); err != nil {
		t.Fatal(err)
	}
	return requests, bytes
}

// weighing counts the bytes of all connections.
type weighing struct {
	net.Listener
	bytes *atomic.Int64
}

// Accept waits for a connection.
func (w weighing) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return weighedConn{c, w.bytes}, err
}

type weighedConn struct {
	net.Conn
	bytes *atomic.Int64
}

// Read counts.
func (c weighedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// Write counts.
func (c weighedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// serveElsewhere is the other process: it prints its URL, the one that tells what it
// has counted, and its certificate, and ends with its standard input.
func serveElsewhere(dir string) int {
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var requests, bytes atomic.Int64
	git := gitHandler(strings.TrimSpace(string(path)), dir)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		git.ServeHTTP(w, r)
	}))
	s.Listener = weighing{s.Listener, &bytes}
	s.StartTLS()
	defer s.Close()
	count := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, requests.Load(), bytes.Load())
	}))
	defer count.Close()
	fmt.Fprintf(os.Stdout, "%s\n%s\n%s", s.URL, count.URL, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	if err := os.Stdout.Close(); err != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
