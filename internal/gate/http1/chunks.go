package http1

import "bytes"

// What a chunk's line with its extensions, and a trailer, may take.
const (
	maxChunkLine = 4 << 10
	maxTrailer   = 8 << 10
	maxExcess    = 16 << 10
)

// chunkState is where in the chunked coding (RFC 9112, section 7.1) the next
// byte stands.
type chunkState uint8

const (
	atSize    chunkState = iota
	atSizeEnd            // the CRLF of a size whose extensions were left out
	atData
	atDataEnd
	atTrailer
	ended
)

// step is what was read next: cut bytes, of which the first keep go on.
type step struct {
	keep, cut int
	next      chunkState
	left      int64
}

// takeChunks passes the frames on as they came, in one piece as far as possible.
// Extensions are left out: RFC 9112 lets nobody rely on them.
func (f *framing) takeChunks(b []byte) (emit []byte, used int, bad *refusal) {
	from, to := 0, 0
	for f.state != ended {
		s, bad := f.step(b[used:])
		if bad != nil {
			return nil, 0, bad
		}
		if s.cut == 0 {
			break
		}
		if f.plain && f.state != atData {
			s.keep = 0
		}
		if s.keep > 0 {
			if to > from && to != used {
				break
			}
			if to == from {
				from = used
			}
			to = used + s.keep
		}
		if bad := f.spend(s); bad != nil {
			return nil, 0, bad
		}
		used += s.cut
		f.state, f.left = s.next, s.left
	}
	return b[from:to], used, nil
}

// spend keeps account of what is not data: of the trailer, and of lines that are
// out of proportion to what they announce, as net/http does.
func (f *framing) spend(s step) *refusal {
	switch f.state {
	case atSize:
		line := s.cut
		if s.next == atSizeEnd {
			line += len("\r\n")
		}
		f.spent = max(0, f.spent+line-16-2*int(min(s.left, maxExcess)))
		if f.spent > maxExcess {
			return refuse(400, "the chunks have more lines than data")
		}
		if s.left == 0 {
			f.spent = 0
		}
	case atTrailer:
		if f.spent += s.cut; f.spent > maxTrailer {
			return refuse(431, "the trailer is too long")
		}
	}
	return nil
}

// step reads one piece, if it is all there; f stays as it is.
func (f *framing) step(b []byte) (step, *refusal) {
	switch f.state {
	case atSize:
		return f.size(b)
	case atSizeEnd:
		if f.left == 0 {
			return step{2, 2, atTrailer, 0}, nil
		}
		return step{2, 2, atData, f.left}, nil
	case atData:
		n := min(int64(len(b)), f.left)
		if n == f.left {
			return step{int(n), int(n), atDataEnd, 0}, nil
		}
		return step{int(n), int(n), atData, f.left - n}, nil
	case atDataEnd:
		if len(b) > 0 && b[0] != '\r' || len(b) > 1 && b[1] != '\n' {
			return step{}, refuse(400, "a chunk is longer than its size")
		}
		if len(b) < 2 {
			return step{}, nil
		}
		return step{2, 2, atSize, 0}, nil
	}
	return f.trailerLine(b)
}

// size reads a line like "1f4;name=value".
func (f *framing) size(b []byte) (step, *refusal) {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		if len(b) > maxChunkLine {
			return step{}, refuse(400, "a chunk's line is too long")
		}
		return step{}, f.early(b)
	}
	if n > maxChunkLine || n == 0 || b[n-1] != '\r' {
		return step{}, refuse(400, "a chunk's line does not end in CRLF")
	}
	line := b[:n-1]
	digits, size, ok := chunkSize(line)
	if !ok || !f.isExtension(line[digits:]) {
		return step{}, refuse(400, "a chunk's size is not valid")
	}
	switch {
	case digits < len(line):
		return step{digits, n - 1, atSizeEnd, size}, nil
	case size == 0:
		return step{n + 1, n + 1, atTrailer, 0}, nil
	}
	return step{n + 1, n + 1, atData, size}, nil
}

// early refuses a line that cannot become one, before its end has come.
func (f *framing) early(b []byte) *refusal {
	if digits, _, ok := chunkSize(b); len(b) > 0 && (!ok || digits == 0) {
		return refuse(400, "a chunk's size is not valid")
	}
	return nil
}

// chunkSize reads at most sixteen hexadecimal digits. No chunk is an exbibyte;
// near what an int64 holds other readers overflow.
func chunkSize(b []byte) (digits int, size int64, ok bool) {
	for digits < len(b) {
		d := unhex(b[digits])
		if d < 0 {
			break
		}
		if digits == 16 || size >= 1<<56 {
			return 0, 0, false
		}
		size = size<<4 | int64(d)
		digits++
	}
	return digits, size, digits > 0
}

// isExtension tells whether b may stand after a size: nothing, or a semicolon
// and text. Some servers pad the sizes of a response with spaces.
func (f *framing) isExtension(b []byte) bool {
	if len(b) == 0 || f.lax && len(trim(b)) == 0 {
		return true
	}
	return b[0] == ';' && isText(b)
}

// trailerLine reads a header line after the last chunk, or the empty line.
func (f *framing) trailerLine(b []byte) (step, *refusal) {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		if len(b) > maxTrailer {
			return step{}, refuse(431, "the trailer is too long")
		}
		return step{}, nil
	}
	line, _, ok := cutLine(b[:n+1], false)
	if !ok {
		return step{}, refuse(400, "a trailer line does not end in CRLF")
	}
	if len(line) == 0 {
		return step{2, 2, ended, 0}, nil
	}
	t, bad := parseField(line)
	if bad != nil {
		return step{}, bad
	}
	keep := n + 1
	if !mayTrail(t.kind) {
		keep = 0
	}
	return step{keep, n + 1, atTrailer, 0}, nil
}

// mayTrail tells whether a trailer of this kind goes on: what frames, routes or
// belongs to a connection comes too late there (RFC 9110, section 6.5.1).
func mayTrail(k kind) bool { return k == plain }
