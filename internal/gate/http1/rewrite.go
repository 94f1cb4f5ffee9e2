package http1

import "strconv"

// smallOut is what an exchange has room for at first: most heads.
const smallOut = 2 << 10

// write appends the head as the backend gets it. X-Forwarded-For gets the
// client's address appended; X-Forwarded-Proto and -Host are added where a proxy
// before the gate has not said better.
func (r *request) write(out []byte, c *conn) []byte {
	out = append(out, r.method...)
	out = append(out, ' ')
	out = append(out, r.target...)
	out = append(out, " HTTP/1.1\r\n"...)
	name := r.hostName(c)
	if r.authority != nil || r.host == nil {
		out = append(append(out, "Host: "...), name...)
		out = append(out, "\r\n"...)
	}
	var proto, host bool
	for i := range r.fields {
		f := &r.fields[i]
		proto = proto || f.kind == forwardedProto
		host = host || f.kind == forwardedHost
		if endToEnd(f.kind) && (f.kind != hostLine || r.authority == nil) {
			out = append(out, f.line...)
			out = append(out, "\r\n"...)
		}
	}
	out = r.writeFor(out, c.from)
	if !proto {
		out = append(out, "X-Forwarded-Proto: http\r\n"...)
	}
	if !host && len(name) > 0 {
		out = append(append(out, "X-Forwarded-Host: "...), name...)
		out = append(out, "\r\n"...)
	}
	out = r.body.write(out)
	return append(r.writeConnection(out), "\r\n"...)
}

// hostName returns the host that the request is for: where an HTTP/1.0 client
// names none, the address that it has connected to.
func (r *request) hostName(c *conn) []byte {
	switch {
	case r.authority != nil:
		return r.authority
	case r.host == nil && c.in.conn.LocalAddr() != nil:
		return []byte(c.in.conn.LocalAddr().String())
	}
	return r.host
}

func (r *request) writeFor(out []byte, from string) []byte {
	out = append(out, "X-Forwarded-For: "...)
	for i := range r.fields {
		if f := &r.fields[i]; f.kind == forwardedFor && len(f.value()) > 0 {
			out = append(append(out, f.value()...), ", "...)
		}
	}
	return append(append(out, from...), "\r\n"...)
}

// write appends the line that says how the body is delimited.
func (f *framing) write(out []byte) []byte {
	switch {
	case f.kind == chunked:
		return append(out, "Transfer-Encoding: chunked\r\n"...)
	case f.kind == counted || f.stated:
		return writeLength(out, f.left)
	}
	return out
}

func writeLength(out []byte, n int64) []byte {
	out = append(out, "Content-Length: "...)
	out = strconv.AppendInt(out, n, 10)
	return append(out, "\r\n"...)
}

// writeConnection appends what concerns the connection to the backend. A change
// of protocols is only asked for without a body, which would come before it.
func (r *request) writeConnection(out []byte) []byte {
	changes := r.protocols != nil && r.body.kind == bodiless
	switch {
	case changes:
		out = append(append(out, "Connection: Upgrade\r\nUpgrade: "...), r.protocols...)
		return append(out, "\r\n"...)
	case r.trailers:
		return append(out, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	return out
}

// write appends the head as a client gets it that speaks HTTP/1.minor. last
// says that the connection ends with the response.
func (r *response) write(out []byte, minor int, last bool) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = append(out, r.line...)
	out = append(out, "\r\n"...)
	for i := range r.fields {
		if f := &r.fields[i]; endToEnd(f.kind) {
			out = append(out, f.line...)
			out = append(out, "\r\n"...)
		}
	}
	switch {
	case (r.body.kind == chunked || r.body.stated) && minor > 0:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case r.hasLength:
		out = writeLength(out, r.length)
	}
	switch {
	case r.status == 101:
		out = append(append(out, "Connection: Upgrade\r\nUpgrade: "...), r.protocols...)
		out = append(out, "\r\n"...)
	case r.status < 200:
	case last:
		out = append(out, "Connection: close\r\n"...)
	case minor == 0:
		out = append(out, "Connection: keep-alive\r\n"...)
	}
	return out
}
