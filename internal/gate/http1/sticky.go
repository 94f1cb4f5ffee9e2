package http1

// cookieName is the cookie that keeps a client at its backend.
const cookieName = "syncd-gate"

// writeSticky appends the cookie when the client has none, or another backend's.
func (x *exchange) writeSticky(out []byte) []byte {
	id := x.lease.ID()
	if !x.c.p.Sticky || x.sticky == id {
		return out
	}
	out = append(out, "Set-Cookie: "+cookieName+"="...)
	out = append(out, id...)
	return append(out, "; Path=/; HttpOnly; SameSite=Lax\r\n"...)
}
