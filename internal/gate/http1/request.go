package http1

import "bytes"

// request is what the gate has to know of a request's head. Its slices point
// into the head.
type request struct {
	method    []byte
	target    []byte
	authority []byte // of an absolute target; it counts, and Host does not
	host      []byte // the Host line's value
	minor     int    // of HTTP/1.x
	fields    []field
	body      framing
	close     bool   // the connection ends after the response
	expects   bool   // the client waits for 100 before it sends the body
	trailers  bool   // the client takes trailers
	protocols []byte // what the client wants to change to
	sticky    []byte // the value of the gate's own cookie
}

// parse reads a whole head, up to and with its empty line. What net/http refuses
// it refuses too.
func (r *request) parse(head []byte) *refusal {
	*r = request{fields: r.fields[:0]}
	line, rest, ok := cutLine(head, false)
	if !ok {
		return refuse(400, "the request line does not end in CRLF")
	}
	if bad := r.parseLine(line); bad != nil {
		return bad
	}
	var bad *refusal
	if r.fields, bad = parseFields(r.fields, rest, false); bad != nil {
		return bad
	}
	var s said
	if bad := s.read(r.fields); bad != nil {
		return bad
	}
	if bad := r.frame(&s); bad != nil {
		return bad
	}
	r.close = s.close || r.minor == 0 && !s.keepAlive
	r.trailers = s.trailers && r.minor > 0
	if s.upgrade && s.upgrades == 1 && r.minor > 0 && !listHas(s.protocols, "h2c") {
		r.protocols = s.protocols // h2c would be a second way in, around the leases
	}
	return r.note()
}

// parseLine reads "method SP target SP HTTP/1.x".
func (r *request) parseLine(line []byte) *refusal {
	i := bytes.IndexByte(line, ' ')
	if i < 0 || !isToken(line[:i]) {
		return badLine()
	}
	r.method, line = line[:i], line[i+1:]
	if i = bytes.IndexByte(line, ' '); i < 0 {
		return badLine()
	}
	r.target, line = line[:i], line[i+1:]
	switch {
	case string(line) == "HTTP/1.1":
		r.minor = 1
	case string(line) == "HTTP/1.0":
	case len(line) == 8 && string(line[:5]) == "HTTP/" && isDigit(line[5]) && line[6] == '.' && isDigit(line[7]):
		return refuse(505, "this version of HTTP is not served")
	default:
		return badLine()
	}
	if string(r.method) == "CONNECT" {
		return refuse(405, "CONNECT is not served")
	}
	return r.parseTarget()
}

func badLine() *refusal { return refuse(400, "the request line is not valid") }

// frame says how the body is delimited (RFC 9112, section 6.3), or refuses what
// two readers could understand differently.
func (r *request) frame(s *said) *refusal {
	switch {
	case s.encoded && r.minor == 0:
		return refuse(400, "HTTP/1.0 has no Transfer-Encoding")
	case s.encoded && !s.chunked:
		return refuse(501, "only the transfer coding chunked is served")
	case s.encoded:
		r.body = framing{kind: chunked}
	case s.length > 0:
		r.body = framing{kind: counted, left: s.length}
	case s.hasLength:
		r.body = framing{kind: bodiless, stated: true}
	}
	return nil
}

// note looks at what only a request has.
func (r *request) note() *refusal {
	hosts := 0
	for i := range r.fields {
		f := &r.fields[i]
		switch f.kind {
		case hostLine:
			hosts++
			r.host = f.value()
		case expect:
			r.noteExpect(f)
		case trailer:
			if r.body.kind == chunked && namesFraming(f.value()) {
				return refuse(400, "a trailer cannot say how long the body is")
			}
		case cookie:
			r.noteCookie(f.value())
		}
	}
	switch {
	case hosts == 0 && r.minor > 0:
		return refuse(400, "the Host header is missing")
	case hosts > 1:
		return refuse(400, "more than one Host header")
	case !isHost(r.host):
		return refuse(400, "the Host header is not valid")
	}
	return nil
}

func (r *request) noteExpect(f *field) {
	switch {
	case r.minor == 0: // such a client cannot wait
		f.kind = dropped
	case same(f.value(), "100-continue"):
		r.expects = true
	}
}

// noteCookie remembers what follows the gate's own name in a Cookie line.
func (r *request) noteCookie(v []byte) {
	for len(v) > 0 && r.sticky == nil {
		var pair []byte
		pair, v, _ = bytes.Cut(v, []byte(";"))
		if value, ok := bytes.CutPrefix(trim(pair), []byte(cookieName+"=")); ok {
			r.sticky = value
		}
	}
}

func namesFraming(v []byte) bool {
	return listHas(v, "content-length") || listHas(v, "transfer-encoding") || listHas(v, "trailer")
}

// safe tells whether the request may be sent twice: it changes nothing, by its
// method's definition, and has no body.
func (r *request) safe() bool {
	if r.body.kind != bodiless {
		return false
	}
	switch string(r.method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	return false
}

func (r *request) isHead() bool { return string(r.method) == "HEAD" }
