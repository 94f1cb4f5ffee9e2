package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Traces are what is kept of everything that an incident has or had, however much that
// is, by TraceOf: details are kept of few objects only.
type Traces map[uint64]Trace

// Trace is one of them.
type Trace struct {
	// First is when it was first seen, or seen again after it was gone; zero where only a
	// repair has touched it.
	First time.Time
	// Gone tells that it was not there when one looked last, Listed that there were
	// details of the object, and Fought that something changes it back as often as it is
	// repaired. Touched is what the repair under way changes, Untold an object that no line
	// of history has told of yet.
	Gone, Listed, Fought, Touched, Untold bool
}

// TraceOf is where the trace of an object stands, or of one thing that differs of it.
func TraceOf(key resource.Key, what string) uint64 {
	sum := sha256.Sum256([]byte(key.String() + "\x00" + what))
	return binary.BigEndian.Uint64(sum[:])
}

// Untouch forgets what a repair has touched.
func (t Traces) Untouch() {
	for of, trace := range t {
		switch {
		case trace.First.IsZero():
			delete(t, of)
		case trace.Touched:
			trace.Touched = false
			t[of] = trace
		}
	}
}

// Tell notes that history tells of all that is there.
func (t Traces) Tell() {
	for of, trace := range t {
		if trace.Untold {
			trace.Untold = false
			t[of] = trace
		}
	}
}

// Forget lets go of the oldest that are gone, but for so many of them; what is fought
// over goes last.
func (t Traces) Forget(most int) {
	var gone []uint64
	for of, trace := range t {
		if trace.Gone {
			gone = append(gone, of)
		}
	}
	if len(gone) <= most {
		return
	}
	slices.SortFunc(gone, func(a, b uint64) int {
		switch x, y := t[a], t[b]; {
		case x.Fought == y.Fought:
			return x.First.Compare(y.First)
		case y.Fought:
			return -1
		}
		return 1
	})
	for _, of := range gone[:len(gone)-most] {
		delete(t, of)
	}
}

// traceSize is what one trace takes when it is written: where it stands, its time in
// nanoseconds since 1970 (0 is none), and what it tells, a bit each.
const traceSize = 8 + 8 + 1

// MarshalJSON packs the traces into one string.
func (t Traces) MarshalJSON() ([]byte, error) {
	packed := make([]byte, 0, len(t)*traceSize)
	for _, of := range slices.Sorted(maps.Keys(t)) {
		trace, at := t[of], int64(0)
		if !trace.First.IsZero() {
			at = trace.First.UnixNano()
		}
		packed = binary.BigEndian.AppendUint64(packed, of)
		packed = binary.BigEndian.AppendUint64(packed, uint64(at)) //nolint:gosec // it is read back the same way
		packed = append(packed, trace.bits())
	}
	return json.Marshal(packed)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (t *Traces) UnmarshalJSON(raw []byte) error {
	var packed []byte
	if err := json.Unmarshal(raw, &packed); err != nil {
		return fmt.Errorf("read the traces of an incident: %w", err)
	}
	if len(packed)%traceSize != 0 {
		return fmt.Errorf("read the traces of an incident: %d bytes are no multiple of %d", len(packed), traceSize)
	}
	*t = make(Traces, len(packed)/traceSize)
	for one := range slices.Chunk(packed, traceSize) {
		trace := traceOf(one[16])
		if at := int64(binary.BigEndian.Uint64(one[8:])); at != 0 { //nolint:gosec // as it was written
			trace.First = time.Unix(0, at).UTC()
		}
		(*t)[binary.BigEndian.Uint64(one)] = trace
	}
	return nil
}

func (t Trace) bits() (b byte) {
	for i, set := range []bool{t.Gone, t.Listed, t.Fought, t.Touched, t.Untold} {
		if set {
			b |= 1 << i
		}
	}
	return b
}

func traceOf(b byte) Trace {
	return Trace{Gone: b&1 > 0, Listed: b&2 > 0, Fought: b&4 > 0, Touched: b&8 > 0, Untold: b&16 > 0}
}
