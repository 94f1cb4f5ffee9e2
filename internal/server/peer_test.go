package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/server"
)

// Users and groups that no test machine gives a meaning to.
const (
	outsider = 54321
	elsewhen = 54322
)

func TestTheGroupReadsAndOthersStayOut(t *testing.T) {
	if os.Getuid() != 0 {
		if testing.Short() {
			t.Skip("needs root: only root can be somebody else")
		}
		t.Fatal("needs root: only root can be somebody else (or run with -short)")
	}
	group, err := user.LookupGroupId("1")
	if err != nil {
		if testing.Short() {
			t.Skip("needs a group 1")
		}
		t.Fatal("needs a group 1 (or run with -short)")
	}
	f := &fake{}
	c := start(t, f, group.Name)
	info, err := os.Stat(c.Socket)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Fatalf("the socket is %v, %v; want mode 660", info.Mode(), err)
	}
	if err := os.Chmod(c.Socket, 0o666); err != nil { // so that strangers meet the server, not the kernel
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name         string
		gid          int
		groups       []uint32
		method, path string
		body         string
		status       int
		text, hint   string
	}{
		{"a member reads", elsewhen, []uint32{7, 1}, "GET", "/v1/status", "", 200, "", ""},
		{"a member by its first group reads", 1, nil, "GET", "/v1/apps/shop/history", "", 200, "", ""},
		{"a member plans", elsewhen, []uint32{1}, "POST", "/v1/plan", `{"ref":"main"}`, 200, "", ""},
		{"a member may not let root read a directory", elsewhen, []uint32{1}, "POST", "/v1/plan", `{"dir":"/root"}`, 409, "read directories", "--ref BRANCH"},
		{"a member may not act", elsewhen, []uint32{1}, "POST", "/v1/sync", `{"who":"root"}`, 403, "may only read", "sudo"},
		{"a member may not pause", elsewhen, []uint32{1}, "POST", "/v1/apps/shop/pause", `{"app":"shop","who":"root"}`, 403, "may only read", "sudo"},
		{"a stranger does not read", elsewhen, nil, "GET", "/v1/status", "", 403, "does not talk to this user", "group " + group.Name},
		{"a stranger does not act", elsewhen, []uint32{7}, "POST", "/v1/sync", "{}", 403, "does not talk to this user", "sudo"},
		{"a stranger learns no addresses", elsewhen, nil, "GET", "/nowhere", "", 403, "does not talk", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := request(t, dialAs(t, c, tt.gid, tt.groups), tt.method, tt.path, tt.body)
			if status != tt.status || !strings.Contains(body.Error, tt.text) || !strings.Contains(body.Hint, tt.hint) {
				t.Errorf("got %d %+v, want %d, %q, %q", status, body, tt.status, tt.text, tt.hint)
			}
			if f.who != "" {
				t.Errorf("the agent acted for %q", f.who)
			}
		})
	}
}

func TestRootMaySayForWhomItActs(t *testing.T) {
	if os.Getuid() != 0 {
		if testing.Short() {
			t.Skip("needs root")
		}
		t.Fatal("needs root (or run with -short)")
	}
	f := &fake{}
	c := start(t, f, "")
	for claimed, want := range map[string]string{"": "root", "ann": "ann", "an\x1b[31mn\n": "ann", strings.Repeat("x", 500): strings.Repeat("x", 61) + "…"} {
		if _, err := c.Sync(t.Context(), reconcile.SyncRequest{Who: claimed}, nil); err != nil || f.who != want {
			t.Errorf("%q acts as %q, %v; want %q", claimed, f.who, err, want)
		}
	}
}

func TestWhatIsSentIsBounded(t *testing.T) {
	c := start(t, &fake{}, "")
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		text                     string
	}{
		{"more than a megabyte", "POST", "/v1/sync", `{"who":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too large"},
		{"a wish that it does not know", "POST", "/v1/sync", `{"violently":true}`, 422, "violently"},
		{"no JSON", "POST", "/v1/plan", `hello`, 422, "read the request"},
		{"another app than the address's", "POST", "/v1/apps/shop/pause", `{"app":"blog"}`, 400, "not the address's"},
		{"a verb that it does not know", "POST", "/v1/apps/shop/explode", `{"app":"shop"}`, 404, "explode"},
		{"an address that it does not know", "GET", "/v2", "", 404, "no such request"},
		{"a limit that is none", "GET", "/v1/apps/shop/history?limit=-1", "", 422, "limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("unix", c.Socket)
			if err != nil {
				t.Fatal(err)
			}
			status, body := request(t, conn, tt.method, tt.path, tt.body)
			if status != tt.status || !strings.Contains(body.Error, tt.text) {
				t.Errorf("got %d %+v, want %d, %q", status, body, tt.status, tt.text)
			}
		})
	}
}

// answer is what a refusal looks like to any HTTP client.
type answer struct{ Class, Error, Hint string }

func request(t *testing.T, conn net.Conn, method, path, body string) (int, answer) {
	t.Helper()
	defer conn.Close()
	web := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
	req, err := http.NewRequest(method, "http://syncd"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := web.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if resp.StatusCode != http.StatusOK {
		if err := json.Unmarshal(data, &a); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
	}
	return resp.StatusCode, a
}

// dialAs connects as somebody else. The kernel notes the credentials of the
// thread that connects; this one is thrown away afterwards.
func dialAs(t *testing.T, c server.Client, gid int, groups []uint32) net.Conn {
	t.Helper()
	type connected struct {
		conn net.Conn
		err  error
	}
	got := make(chan connected)
	go func() {
		runtime.LockOSThread() // and never unlocked
		var first unsafe.Pointer
		if len(groups) > 0 {
			first = unsafe.Pointer(&groups[0])
		}
		_, _, e1 := syscall.RawSyscall(syscall.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first), 0)
		_, _, e2 := syscall.RawSyscall(syscall.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid))
		_, _, e3 := syscall.RawSyscall(syscall.SYS_SETRESUID, outsider, outsider, outsider)
		for _, e := range []syscall.Errno{e1, e2, e3} {
			if e != 0 {
				got <- connected{err: e}
				return
			}
		}
		conn, err := net.Dial("unix", c.Socket)
		got <- connected{conn, err}
	}()
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.conn
}
