package http1

import "testing"

func TestWhatOfTheChunksGoesOn(t *testing.T) {
	for _, c := range []struct {
		name, in, framed, plain string
		lax                     bool
	}{
		{"as it came", "5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n", "5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n", "hello0123456789", false},
		{"without extensions", "5;a\r\nhello\r\n1;b=\"c\"\r\n!\r\n0;d\r\n\r\n", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", false},
		{"without padding", "5  \r\nhello\r\n0 \r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello", true},
		{"with trailers", "0\r\nA: b\r\nC:d\r\n\r\n", "0\r\nA: b\r\nC:d\r\n\r\n", "", false},
		{"without trailers that frame or route", "0\r\nContent-Length: 5\r\nA: b\r\nhost: c\r\nTransfer-Encoding: chunked\r\nConnection: A\r\nTrailer: A\r\nX-Forwarded-For: 1.1.1.1\r\nCookie: d\r\n\r\n", "0\r\nA: b\r\n\r\n", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for piece := range len(c.in) + 1 {
				for plain, want := range map[bool]string{false: c.framed, true: c.plain} {
					out, used, ended, bad := decode([]byte(c.in+"GET"), piece, framing{kind: chunked, lax: c.lax, plain: plain})
					if bad != nil || !ended || used != len(c.in) || string(out) != want {
						t.Errorf("in pieces of %d: %q, %d, %v, %v; want %q", piece, out, used, ended, bad, want)
					}
				}
			}
		})
	}
}
