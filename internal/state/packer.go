package state

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// packer makes compressed JSON. It keeps its compressor while there is work, one for
// all: a new one weighs more than most records, and costs more than to wait for this
// one. At rest it goes, with more than a megabyte.
type packer struct {
	mu   sync.Mutex // held by who compresses
	kept sync.Pool  // of one *flate.Writer
}

// pack returns v as compressed JSON: the same bytes for the same value.
func (p *packer) pack(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	packed, err := p.squeeze(append(plain, '\n'))
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return packed, nil
}

// squeeze compresses.
func (p *packer) squeeze(plain []byte) (packed []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := bytes.NewBuffer(make([]byte, 0, len(plain)/2))
	w, kept := p.kept.Get().(*flate.Writer)
	if kept {
		w.Reset(out)
	} else if w, err = flate.NewWriter(out, flate.BestSpeed); err != nil {
		return nil, err
	}
	defer p.kept.Put(w)
	if _, err = w.Write(plain); err == nil {
		err = w.Close()
	}
	return bytes.Clone(out.Bytes()), err // without the buffer's spare room
}

// unpack is the opposite of pack; nothing leaves v as it is.
func unpack(packed []byte, v any) error {
	if len(packed) == 0 {
		return nil
	}
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err == nil {
		err = json.Unmarshal(plain, v)
	}
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}
