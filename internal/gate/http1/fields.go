package http1

import "bytes"

// maxFields bounds the header lines of a head.
const maxFields = 256

// kind says what a header line means to the gate; nothing, mostly.
type kind uint8

const (
	plain kind = iota
	dropped
	connection
	contentLength
	cookie
	expect
	forwardedFor
	forwardedHost
	forwardedProto
	hostLine
	keepAlive
	te
	trailer
	transferEncoding
	upgrade
)

// field is one header line, without its end.
type field struct {
	line  []byte
	colon int
	kind  kind
}

func (f field) name() []byte { return f.line[:f.colon] }

func (f field) value() []byte { return trim(f.line[f.colon+1:]) }

// headEnd returns how long the head is that b begins with, at most 3 if it is not
// all there. lax takes a line that ends in a bare LF for a line, as RFC 9112
// (section 2.2) allows: for responses only.
func headEnd(b []byte, lax bool) int {
	if !lax {
		return bytes.Index(b, []byte("\r\n\r\n")) + len("\r\n\r\n")
	}
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return 0
		}
		if n == 0 || n == 1 && b[at] == '\r' {
			return at + n + 1
		}
		at += n + 1
	}
}

// cutLine returns b's first line without its end, and what follows.
func cutLine(b []byte, lax bool) (line, rest []byte, ok bool) {
	n := bytes.IndexByte(b, '\n')
	switch {
	case n > 0 && b[n-1] == '\r':
		return b[:n-1], b[n+1:], true
	case n >= 0 && lax:
		return b[:n], b[n+1:], true
	}
	return nil, nil, false
}

// parseFields appends the header lines of b, up to the empty one, to fs. What it
// refuses: lines that end in a bare LF (unless lax), continued lines, names that
// are no tokens (so also a space before the colon), control characters.
func parseFields(fs []field, b []byte, lax bool) ([]field, *refusal) {
	for {
		line, rest, ok := cutLine(b, lax)
		if !ok {
			return fs, refuse(400, "a header line does not end in CRLF")
		}
		if len(line) == 0 {
			return fs, nil
		}
		f, bad := parseField(line)
		if bad != nil {
			return fs, bad
		}
		if len(fs) == maxFields {
			return fs, refuse(431, "too many header lines")
		}
		fs = append(fs, f)
		b = rest
	}
}

func parseField(line []byte) (field, *refusal) {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return field{}, refuse(400, "a header line has no colon")
	}
	if !isToken(line[:colon]) {
		return field{}, refuse(400, "a header's name is not valid")
	}
	if !isText(line[colon+1:]) {
		return field{}, refuse(400, "a header's value has a control character")
	}
	return field{line, colon, kindOf(line[:colon])}, nil
}

// kindOf looks a name up by its length first: most names match none.
func kindOf(name []byte) kind {
	switch len(name) {
	case 2:
		return pick(name, "te", te)
	case 4:
		return pick(name, "host", hostLine)
	case 6:
		return pick(name, "cookie", cookie) | pick(name, "expect", expect)
	case 7:
		return pick(name, "upgrade", upgrade) | pick(name, "trailer", trailer)
	case 10:
		return pick(name, "connection", connection) | pick(name, "keep-alive", keepAlive)
	case 14:
		return pick(name, "content-length", contentLength) | pick(name, "http2-settings", dropped)
	case 15:
		return pick(name, "x-forwarded-for", forwardedFor)
	case 16:
		return pick(name, "x-forwarded-host", forwardedHost) | pick(name, "proxy-connection", dropped)
	case 17:
		return pick(name, "x-forwarded-proto", forwardedProto) | pick(name, "transfer-encoding", transferEncoding)
	case 18:
		return pick(name, "proxy-authenticate", dropped)
	case 19:
		return pick(name, "proxy-authorization", dropped)
	}
	return plain
}

func pick(name []byte, lower string, k kind) kind {
	if same(name, lower) {
		return k
	}
	return plain
}
