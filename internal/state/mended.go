package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Mended are the repairs of drift that count still, the oldest first.
type Mended []Round

// Round is what one repair has put right.
type Round struct {
	At time.Time `json:"at"`
	Of Marks     `json:"of"`
}

// Marks are objects, or things that differ of them, by TraceOf.
type Marks []uint64

// Times is how often each thing was put right.
func (m Mended) Times() map[uint64]int {
	times := map[uint64]int{}
	for _, round := range m {
		for _, of := range round.Of {
			times[of]++
		}
	}
	return times
}

// Since are the rounds that counts says to count; nil where there is none.
func (m Mended) Since(counts func(at time.Time) bool) (out Mended) {
	for _, round := range m {
		if counts(round.At) {
			out = append(out, round)
		}
	}
	return out
}

// MarshalJSON packs the marks into one string: there may be some of each object of an app.
func (m Marks) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, 8*len(m))
	for _, of := range m {
		packed = binary.BigEndian.AppendUint64(packed, of)
	}
	return json.Marshal(packed)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (m *Marks) UnmarshalJSON(raw []byte) error {
	var packed []byte
	if err := json.Unmarshal(raw, &packed); err != nil {
		return fmt.Errorf("read what a repair has put right: %w", err)
	}
	if len(packed)%8 != 0 {
		return fmt.Errorf("read what a repair has put right: %d bytes are no multiple of 8", len(packed))
	}
	*m = make(Marks, 0, len(packed)/8)
	for one := range slices.Chunk(packed, 8) {
		*m = append(*m, binary.BigEndian.Uint64(one))
	}
	return nil
}
