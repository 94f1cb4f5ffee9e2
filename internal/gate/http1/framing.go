package http1

// shape is one of the ways in which a body is delimited.
type shape uint8

const (
	bodiless shape = iota
	counted
	chunked
	untilClose
)

// framing finds the end of a body, and says what of it to pass on.
type framing struct {
	kind   shape
	stated bool // a length, or a coding, is stated although no body follows
	lax    bool // white space after a chunk's size is borne: a response's
	plain  bool // pass on what the chunks hold, without the chunks
	state  chunkState
	left   int64 // of the body, or of the chunk
	spent  int   // bytes of the trailer
}

// done tells whether nothing of the body is to come.
func (f *framing) done() bool {
	return f.kind == bodiless || f.kind == counted && f.left == 0 || f.state == ended
}

// take reads from the beginning of b. It returns the bytes that go on, and how
// many of b it has used; none says that it needs more. Where bytes have to be
// left out between others it stops before them, and is called again.
func (f *framing) take(b []byte) (emit []byte, used int, bad *refusal) {
	switch f.kind {
	case counted:
		n := int(min(int64(len(b)), f.left))
		f.left -= int64(n)
		return b[:n], n, nil
	case untilClose:
		return b, len(b), nil
	case chunked:
		return f.takeChunks(b)
	}
	return nil, 0, nil
}
