package http1

import (
	"strconv"
	"time"
)

// response is what the gate has to know of a response's head. Its slices point
// into the head.
type response struct {
	status    int
	line      []byte // the status and its reason: "200 OK"
	fields    []field
	body      framing
	minor     int
	close     bool // the backend closes after it
	hasLength bool
	length    int64
	protocols []byte
	lasts     time.Duration // how long the backend keeps the connection, 0 if it does not say
}

// parse reads a whole head; head says that the request was a HEAD. An error says
// what is wrong with the backend.
func (r *response) parse(b []byte, head bool) *refusal {
	*r = response{fields: r.fields[:0]}
	line, rest, _ := cutLine(b, true)
	if !r.parseLine(line) {
		return refuse(502, "the backend's answer is not HTTP/1")
	}
	var bad *refusal
	var s said
	if r.fields, bad = parseFields(r.fields, rest, true); bad == nil {
		bad = s.read(r.fields)
	}
	if bad == nil {
		bad = r.frame(&s, head)
	}
	if bad != nil {
		return refuse(502, "the backend's answer is not valid: "+bad.text)
	}
	r.close = s.close || r.minor == 0 && !s.keepAlive || r.body.kind == untilClose
	r.lasts = lasts(s.lasts)
	r.protocols = s.protocols
	return nil
}

// parseLine reads "HTTP/1.x SP status [SP reason]".
func (r *response) parseLine(line []byte) bool {
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || !isDigit(line[7]) || line[8] != ' ' {
		return false
	}
	r.minor = min(int(line[7]-'0'), 1)
	r.line = line[9:]
	for _, c := range r.line[:3] {
		if !isDigit(c) {
			return false
		}
		r.status = r.status*10 + int(c-'0')
	}
	return r.status >= 100 && (len(r.line) == 3 || r.line[3] == ' ') && isText(r.line)
}

// frame says how the body is delimited (RFC 9112, section 6.3).
func (r *response) frame(s *said, head bool) *refusal {
	if s.encoded && (!s.chunked || r.minor == 0) {
		return refuse(502, "only the transfer coding chunked is served")
	}
	r.hasLength, r.length = s.hasLength, s.length
	switch {
	case r.status < 200 || r.status == 204:
		r.hasLength = false
	case head || r.status == 304:
		r.body.stated = s.encoded
	case s.encoded:
		r.body = framing{kind: chunked, lax: true}
	case s.hasLength && s.length > 0:
		r.body = framing{kind: counted, left: s.length}
	case !s.hasLength:
		r.body = framing{kind: untilClose}
	}
	return nil
}

// lasts reads the timeout of "Keep-Alive: timeout=5, max=100".
func lasts(v []byte) time.Duration {
	const name = "timeout="
	for len(v) > 0 {
		var e []byte
		e, v = cutList(v)
		if len(e) <= len(name) || !same(e[:len(name)], name) {
			continue
		}
		if n, err := strconv.Atoi(string(e[len(name):])); err == nil && n > 0 && n < 3600 {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}
