package http1

import (
	"bytes"
	"net/netip"
)

// parseTarget takes the four forms of RFC 9112, section 3.2, but CONNECT's. An
// absolute target becomes the path that a server expects, and its authority the
// Host.
func (r *request) parseTarget() *refusal {
	for _, c := range r.target {
		if c <= 0x20 || c == 0x7f {
			return badTarget()
		}
	}
	switch {
	case len(r.target) == 0:
		return badTarget()
	case r.target[0] == '/':
	case string(r.target) == "*":
		if string(r.method) != "OPTIONS" {
			return badTarget()
		}
	case !r.parseAbsolute():
		return badTarget()
	}
	if path, _, _ := bytes.Cut(r.target, []byte("?")); !isEscaped(path) {
		return badTarget()
	}
	return nil
}

func badTarget() *refusal { return refuse(400, "the request's target is not valid") }

func (r *request) parseAbsolute() bool {
	i := bytes.Index(r.target, []byte("://"))
	if i < 0 || !same(r.target[:i], "http") && !same(r.target[:i], "https") {
		return false
	}
	rest := r.target[i+3:]
	if i = bytes.IndexAny(rest, "/?"); i < 0 {
		i = len(rest)
	}
	r.authority = rest[:i]
	switch rest = rest[i:]; {
	case len(rest) > 0 && rest[0] == '/':
		r.target = rest
	case len(rest) > 0:
		r.target = append([]byte("/"), rest...)
	case string(r.method) == "OPTIONS":
		r.target = []byte("*")
	default:
		r.target = []byte("/")
	}
	return isAuthority(r.authority)
}

// isEscaped tells whether every % is followed by two hexadecimal digits.
func isEscaped(path []byte) bool {
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return true
		}
		if len(path) < i+3 || unhex(path[i+1]) < 0 || unhex(path[i+2]) < 0 {
			return false
		}
		path = path[i+3:]
	}
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isAuthority tells whether b is a host name or an address, with or without a
// port. User names and escapes are not taken: nobody sends them who means well.
func isAuthority(b []byte) bool {
	name := b
	if len(b) > 0 && b[0] == '[' {
		i := bytes.IndexByte(b, ']')
		if i < 0 {
			return false
		}
		if a, err := netip.ParseAddr(string(b[1:i])); err != nil || a.Is4() || a.Zone() != "" {
			return false
		}
		return i == len(b)-1 || b[i+1] == ':' && isPort(b[i+2:])
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		if !isPort(b[i+1:]) {
			return false
		}
		name = b[:i]
	}
	for _, c := range name {
		if !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return len(name) > 0
}

func isPort(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// isHost tells whether a Host line's value has only the characters of one (RFC
// 3986, section 3.2.2). An empty one is valid: the target has no authority.
func isHost(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 || !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') &&
			bytes.IndexByte([]byte("!$%&'()*+,-.:;=[]_~"), c) < 0 {
			return false
		}
	}
	return true
}
