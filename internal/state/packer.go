package state

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// packer makes compressed JSON. It keeps its compressors: a new one weighs more
// than most records.
type packer struct{ idle sync.Pool }

// pack returns v as compressed JSON: the same bytes for the same value.
func (p *packer) pack(v any) ([]byte, error) {
	var out bytes.Buffer
	w, ok := p.idle.Get().(*flate.Writer)
	var err error
	if ok {
		w.Reset(&out)
	} else {
		w, err = flate.NewWriter(&out, flate.BestSpeed)
	}
	if err == nil {
		err = json.NewEncoder(w).Encode(v)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	p.idle.Put(w)
	return bytes.Clone(out.Bytes()), nil // without the buffer's spare room
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
