package http1

import (
	"bytes"
	"math"
)

// maxNominated bounds the headers that Connection may name.
const maxNominated = 16

// said is what a message's header lines say of its framing and of its
// connection.
type said struct {
	close, keepAlive, upgrade bool // options of Connection
	nominated                 int  // options that name other headers

	upgrades  int
	protocols []byte
	trailers  bool // TE: trailers
	lasts     []byte

	hasLength        bool
	length           int64
	encoded, chunked bool
}

// read takes in all lines.
func (s *said) read(fields []field) *refusal {
	for i := range fields {
		if fields[i].kind == plain {
			continue
		}
		if bad := s.note(&fields[i]); bad != nil {
			return bad
		}
	}
	if s.encoded && s.hasLength {
		return refuse(400, "both Content-Length and Transfer-Encoding")
	}
	if s.nominated > 0 {
		return s.dropNominated(fields)
	}
	return nil
}

func (s *said) note(f *field) *refusal {
	switch f.kind {
	case connection:
		s.noteConnection(f.value())
	case contentLength:
		return s.noteLength(f.value())
	case transferEncoding:
		s.chunked = !s.encoded && same(f.value(), "chunked")
		s.encoded = true
	case upgrade:
		s.upgrades++
		s.protocols = f.value()
	case te:
		s.trailers = s.trailers || listHas(f.value(), "trailers")
	case keepAlive:
		s.lasts = f.value()
	}
	return nil
}

func (s *said) noteConnection(v []byte) {
	for len(v) > 0 {
		var option []byte
		option, v = cutList(v)
		switch {
		case same(option, "close"):
			s.close = true
		case same(option, "keep-alive"):
			s.keepAlive = true
		case same(option, "upgrade"):
			s.upgrade = true
		case len(option) > 0:
			s.nominated++
		}
	}
}

func (s *said) noteLength(v []byte) *refusal {
	n, ok := parseLength(v)
	switch {
	case !ok:
		return refuse(400, "Content-Length is not valid")
	case s.hasLength && n != s.length:
		return refuse(400, "two different Content-Lengths")
	}
	s.hasLength, s.length = true, n
	return nil
}

// dropNominated marks what Connection names as belonging to this connection
// only. It cannot name what the gate itself relies on: a client could take its
// own address out of what the backend sees.
func (s *said) dropNominated(fields []field) *refusal {
	if s.nominated > maxNominated {
		return refuse(400, "Connection names too many headers")
	}
	for _, f := range fields {
		if f.kind != connection {
			continue
		}
		for v := f.value(); len(v) > 0; {
			var option []byte
			option, v = cutList(v)
			dropNamed(fields, option)
		}
	}
	return nil
}

func dropNamed(fields []field, name []byte) {
	for i := range fields {
		f := &fields[i]
		switch f.kind {
		case plain, cookie, expect, trailer:
			if bytes.EqualFold(f.name(), name) {
				f.kind = dropped
			}
		}
	}
}

// endToEnd tells whether a line of this kind is forwarded as it came. The others
// the gate leaves out, or writes itself.
func endToEnd(k kind) bool {
	switch k {
	case plain, cookie, expect, forwardedHost, forwardedProto, hostLine, trailer:
		return true
	}
	return false
}

// parseLength reads digits and nothing else.
func parseLength(v []byte) (int64, bool) {
	var n int64
	for _, c := range v {
		if !isDigit(c) || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(v) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func listHas(v []byte, want string) bool {
	for len(v) > 0 {
		var e []byte
		if e, v = cutList(v); same(e, want) {
			return true
		}
	}
	return false
}
