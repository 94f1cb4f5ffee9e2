package http1

import (
	"bytes"
	"encoding/binary"
)

// same compares without regard to ASCII case.
func same(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isToken tells whether b is a token (RFC 9110, section 5.6.2), and not empty.
func isToken(b []byte) bool {
	for _, c := range b {
		if !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

func isTokenByte(c byte) bool {
	// 0-9 and !#$%&'*+-. of the first 64, A-Z a-z ^_`|~ of the second.
	const (
		low  = 0x03ff_6cfa_0000_0000
		high = 0x57ff_ffff_c7ff_fffe
	)
	if c >= 128 {
		return false
	}
	if c < 64 {
		return uint64(low)>>c&1 == 1
	}
	return uint64(high)>>(c-64)&1 == 1
}

// isText tells whether b has no control character but the tab; eight at a time,
// since it reads every byte of every header.
func isText(b []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		d := x ^ ones*0x7f
		control := (x - ones*0x20) & ^x & tops
		del := (d - ones) & ^d & tops
		if control|del != 0 && !isTextBytes(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return isTextBytes(b)
}

func isTextBytes(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// trim takes optional white space off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// cutList returns the first element of a comma-separated list, and the rest.
func cutList(b []byte) (element, rest []byte) {
	if i := bytes.IndexByte(b, ','); i >= 0 {
		return trim(b[:i]), b[i+1:]
	}
	return trim(b), nil
}
