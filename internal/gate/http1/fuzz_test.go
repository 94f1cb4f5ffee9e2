package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// FuzzRequest holds the parser against net/http: what that refuses is refused,
// what both take means the same, and what is passed on means the same again.
func FuzzRequest(f *testing.F) {
	for _, head := range requestHeads() {
		f.Add([]byte(head))
	}
	client, server := net.Pipe()
	f.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	c := newConn(f.Context(), &Proxy{}, server)
	f.Fuzz(func(t *testing.T, b []byte) {
		n := headEnd(b, false)
		if n <= 3 {
			return
		}
		head := b[:n]
		var r request
		if bad := r.parse(head); bad != nil {
			if s := bad.status; s != 400 && s != 405 && s != 431 && s != 501 && s != 505 {
				t.Fatalf("status %d", s)
			}
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		compare(t, &r, theirs, "as it came")
		if string(r.host) != "" && string(r.authority) == "" && theirs.Host != string(r.host) {
			t.Errorf("host %q, net/http has %q", r.host, theirs.Host)
		}
		if ours := r.close; ours != theirs.Close {
			t.Errorf("close %v, net/http has %v", ours, theirs.Close)
		}

		out := r.write(nil, c)
		if bytes.Contains(bytes.ReplaceAll(out, []byte("\r\n"), nil), []byte("\n")) {
			t.Fatalf("a bare LF goes out: %q", out)
		}
		again, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(out)))
		if err != nil {
			t.Fatalf("net/http refuses what goes out: %v\n%q", err, out)
		}
		compare(t, &r, again, "as it goes out")
		if again.Close || again.ProtoMinor != 1 || again.Host != string(r.hostName(c)) {
			t.Errorf("what goes out: close %v, %s, host %q", again.Close, again.Proto, again.Host)
		}
		var second request
		if bad := second.parse(out); bad != nil {
			t.Errorf("what goes out is refused: %v\n%q", bad, out)
		}
	})
}

func compare(t *testing.T, r *request, theirs *http.Request, when string) {
	t.Helper()
	length := r.body.left
	if r.body.kind == chunked {
		length = -1
	}
	if theirs.Method != string(r.method) || theirs.ContentLength != length ||
		(len(theirs.TransferEncoding) > 0) != (r.body.kind == chunked) {
		t.Errorf("%s: %s, length %d; net/http has %s, length %d, %v", when,
			r.method, length, theirs.Method, theirs.ContentLength, theirs.TransferEncoding)
	}
	for i := range r.fields {
		if f := r.fields[i]; f.kind == plain {
			name := textproto.CanonicalMIMEHeaderKey(string(f.name()))
			if values := theirs.Header[name]; name != "Pragma" && !slices.Contains(values, string(f.value())) {
				t.Errorf("%s: %s is %q, net/http has %q", when, name, f.value(), values)
			}
		}
	}
}

func requestHeads() []string {
	heads := []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://[::1]:80/x?y HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n",
		"POST /%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\nTE: trailers\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, X-Own, close\r\nUpgrade: x\r\nX-Own: 1\r\nCookie: a=b; syncd-gate=c\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\nX: a\r\n b\r\n\r\n",
	}
	for _, target := range []string{"", "*", "//", "http:", "http://", "http://a:b/", "http:a", "/%", "/a?%", "/#", "/\x7f", "https://a?b/c"} {
		heads = append(heads, "GET "+target+" HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	return heads
}

// FuzzResponse does the same for responses, of which net/http takes more.
func FuzzResponse(f *testing.F) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.0 200 OK\n\n",
		"HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close, X\r\nX: y\r\nTrailer: Sum\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=9\r\n\r\n",
	} {
		f.Add([]byte(head), false)
		f.Add([]byte(head), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, isHead bool) {
		n := headEnd(b, true)
		if n == 0 {
			return
		}
		var r response
		if bad := r.parse(b[:n], isHead); bad != nil {
			if bad.status != 502 {
				t.Fatalf("status %d", bad.status)
			}
			return
		}
		asked := &http.Request{Method: "GET"}
		if isHead {
			asked.Method = "HEAD"
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b[:n])), asked)
		if err != nil {
			if strings.Contains(err.Error(), "bad trailer key") || strings.Contains(err.Error(), "malformed HTTP version") {
				return // of no meaning for the framing
			}
			t.Fatalf("net/http refuses it: %v", err)
		}
		defer theirs.Body.Close()
		compareResponse(t, &r, theirs, isHead)
		out := append(r.write(nil, 1, false), "\r\n"...)
		again, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), asked)
		if err != nil {
			if strings.Contains(err.Error(), "bad trailer key") {
				return
			}
			t.Fatalf("net/http refuses what goes out: %v\n%q", err, out)
		}
		defer again.Body.Close()
		compareResponse(t, &r, again, isHead)
	})
}

func compareResponse(t *testing.T, r *response, theirs *http.Response, isHead bool) {
	t.Helper()
	if theirs.StatusCode != r.status {
		t.Errorf("status %d, net/http has %d", r.status, theirs.StatusCode)
	}
	if isHead || r.status < 200 || r.status == 204 || r.status == 304 {
		if r.body.kind != bodiless {
			t.Error("a body where there can be none")
		}
		return
	}
	want := r.body.left
	if r.body.kind == chunked || r.body.kind == untilClose {
		want = -1
	}
	if theirs.ContentLength != want || (len(theirs.TransferEncoding) > 0) != (r.body.kind == chunked) {
		t.Errorf("length %d, net/http has %d %v", want, theirs.ContentLength, theirs.TransferEncoding)
	}
}

// FuzzChunks holds the chunked coding against net/http's reader: the same data,
// and the same end; and what is passed on decodes to the same. The input comes
// in pieces of a size.
func FuzzChunks(f *testing.F) {
	for _, body := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nrest", "5;a=\"b\"\r\nhello\r\n00A\r\n0123456789\r\n0;x\r\nX: y\r\nHost: z\r\n\r\n",
		"5 \r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "ffffffffffffffff\r\n", "7fffffffffffffff\r\nabc", "0\r\nX\r\n\r\n", "3\r\nabcd\r\n",
		"1;" + strings.Repeat("x", 3000) + "\r\na\r\n0\r\n\r\n",
	} {
		for _, lax := range []bool{false, true} {
			f.Add([]byte(body), uint8(0), lax)
			f.Add([]byte(body), uint8(1), lax)
			f.Add([]byte(body), uint8(7), lax)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint8, lax bool) {
		frames, used, ended, bad := decode(b, int(piece), framing{kind: chunked, lax: lax})
		data, usedPlain, endedPlain, badPlain := decode(b, int(piece), framing{kind: chunked, lax: lax, plain: true})
		if ended != endedPlain || (bad == nil) != (badPlain == nil) || bad == nil && used != usedPlain {
			t.Fatalf("with frames: %d %v %v; without: %d %v %v", used, ended, bad, usedPlain, endedPlain, badPlain)
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b)))
		if bad == nil && err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("net/http refuses it: %v", err)
		}
		if !ended {
			return
		}
		if err != nil || !bytes.Equal(data, theirs) {
			t.Fatalf("data %q, net/http has %q, %v", data, theirs, err)
		}
		again, n, ended, bad := decode(frames, 0, framing{kind: chunked, plain: true})
		if bad != nil || !ended || n != len(frames) || !bytes.Equal(again, data) {
			t.Fatalf("what goes out: %q, %v %v", frames, ended, bad)
		}
	})
}

// decode gives f the input in pieces, as a connection would.
func decode(b []byte, piece int, f framing) (out []byte, used int, ended bool, bad *refusal) {
	if piece == 0 {
		piece = len(b)
	}
	for end := min(piece, len(b)); ; end = min(end+piece, len(b)) {
		for !f.done() {
			emit, n, bad := f.take(b[used:end])
			if bad != nil {
				return out, used, false, bad
			}
			out = append(out, emit...)
			if used += n; n == 0 {
				break
			}
		}
		if f.done() || end == len(b) {
			return out, used, f.done(), nil
		}
	}
}
