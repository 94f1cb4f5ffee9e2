// Package bound bounds what servers may answer.
package bound

import "io"

// Reader reads from R, and fails with Err once more than Left bytes have come.
type Reader struct {
	R    io.Reader
	Left int64
	Err  error
}

// Read fails once the limit is passed.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.R.Read(p)
	if r.Left -= int64(n); r.Left < 0 {
		return 0, r.Err
	}
	return n, err
}
