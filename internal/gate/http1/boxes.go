package http1

import "sync"

// The sizes of the buffers: for heads and small bodies, and for what filled one of
// those. 64 KiB with their head fit into the large one.
const (
	smallBox = 16 << 10
	largeBox = 80 << 10
)

// boxes lends buffers. A connection that waits has none.
type boxes struct{ small, large sync.Pool }

func (p *boxes) take(size int) *[]byte {
	pool := p.of(size)
	if pool != nil {
		if b, ok := pool.Get().(*[]byte); ok {
			return b
		}
	}
	b := make([]byte, size)
	return &b
}

func (p *boxes) put(b *[]byte) {
	if pool := p.of(len(*b)); pool != nil {
		pool.Put(b)
	}
}

func (p *boxes) of(size int) *sync.Pool {
	switch size {
	case smallBox:
		return &p.small
	case largeBox:
		return &p.large
	}
	return nil
}
