package http1

import (
	"strconv"
)

// refusal is what the gate itself answers with.
type refusal struct {
	status int
	text   string
}

// Error is what the client is told.
func (r *refusal) Error() string { return r.text }

func refuse(status int, text string) *refusal { return &refusal{status, text} }

func reason(status int) string {
	switch status {
	case 400:
		return "Bad Request"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 431:
		return "Request Header Fields Too Large"
	case 501:
		return "Not Implemented"
	case 503:
		return "Service Unavailable"
	case 505:
		return "HTTP Version Not Supported"
	}
	return "Bad Gateway"
}

// write appends the answer to out. A HEAD request's has no body.
func (r *refusal) write(out []byte, head, keep bool) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(r.status), 10)
	out = append(out, ' ')
	out = append(out, reason(r.status)...)
	out = append(out, "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len("syncd-gate: ")+len(r.text)+1), 10)
	switch r.status {
	case 405:
		out = append(out, "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"...)
	case 503:
		out = append(out, "\r\nRetry-After: 1"...)
	}
	if !keep {
		out = append(out, "\r\nConnection: close"...)
	}
	out = append(out, "\r\n\r\n"...)
	if head {
		return out
	}
	out = append(out, "syncd-gate: "...)
	out = append(out, r.text...)
	return append(out, '\n')
}
