package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
)

// memory keeps blobs as a cluster does. The real one is asked in
// internal/apply/kube; here calls are made to fail.
type memory struct {
	mu    sync.Mutex
	kept  map[string]blob.Blob
	count int
	now   time.Time
	// calls are what was asked for, since it was last emptied.
	calls []string
	// trouble is asked before each call, by its number from 0 on: an error fails it,
	// late after it had its effect.
	trouble func(call int) (err error, late bool)
}

func newMemory() *memory {
	return &memory{kept: map[string]blob.Blob{}, now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}
}

var errGone = fault.As(fault.Unreachable, errors.New("connection refused"))

// call does what is asked, unless it is to fail.
func (m *memory) call(what string, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, what)
	var failed error
	if m.trouble != nil {
		var late bool
		if failed, late = m.trouble(len(m.calls) - 1); failed != nil && !late {
			return failed
		}
	}
	return errors.Join(do(), failed)
}

func (m *memory) List(context.Context) (all []blob.Blob, err error) {
	return all, m.call("list", func() error {
		for _, b := range m.kept {
			all = append(all, b)
		}
		return nil
	})
}

func (m *memory) Get(_ context.Context, name string) (b blob.Blob, err error) {
	return b, m.call("get "+name, func() error {
		var here bool
		if b, here = m.kept[name]; !here {
			return fs.ErrNotExist
		}
		return nil
	})
}

func (m *memory) Put(_ context.Context, b blob.Blob) (version string, err error) {
	err = m.call("put "+b.Name, func() error {
		if len(b.Data) > 1<<20 {
			return fault.As(fault.Rejected, errors.New("too long: may not be more than 1048576 bytes"))
		}
		there, here := m.kept[b.Name]
		switch {
		case b.Version != "" && !here:
			return fs.ErrNotExist
		case here && there.Version != b.Version, here && there.Fixed:
			return fs.ErrExist
		}
		m.count++
		b.Version, b.Made, b.Data = strconv.Itoa(m.count), m.now, bytes.Clone(b.Data)
		if here {
			b.Made = there.Made
		}
		m.kept[b.Name], version = b, b.Version
		return nil
	})
	if err != nil {
		version = ""
	}
	return version, err
}

func (m *memory) Delete(_ context.Context, b blob.Blob) error {
	return m.call("delete "+b.Name, func() error {
		if there, here := m.kept[b.Name]; here && b.Version != "" && there.Version != b.Version {
			return fs.ErrExist
		}
		delete(m.kept, b.Name)
		return nil
	})
}

// asked returns what was asked for since the last time.
func (m *memory) asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

// named returns the names of a part's blobs, in order.
func (m *memory) named(part string) []string {
	var names []string
	for _, b := range m.kept {
		if b.Part == part {
			names = append(names, b.Name)
		}
	}
	slices.Sort(names)
	return names
}

// fails makes the n-th call from now fail, and no other.
func (m *memory) fails(n int, late bool) {
	m.calls = nil
	m.trouble = func(call int) (error, bool) {
		if call == n {
			return errGone, late
		}
		return nil, false
	}
}

// smallChunk is the size of chunks in these tests; the real one is tried on a
// real cluster.
const smallChunk = 8 << 10

// cluster opens the record that m keeps.
func (m *memory) cluster(t *testing.T) *Cluster {
	t.Helper()
	c, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Place: "namespace syncd", Now: func() time.Time { return m.now }})
	if err != nil {
		t.Fatal(err)
	}
	c.chunk = smallChunk
	return c
}

// large is a record that needs several chunks: its noise cannot be compressed.
func large(n int) Record {
	r := numbered(n)
	noise := make([]byte, 2*smallChunk)
	state := uint64(n)
	for i := range noise {
		state = state*6364136223846793005 + 1442695040888963407
		noise[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[state>>58]
	}
	r.Good.Objects[0].Spec = fmt.Appendf(nil, `{"pad":%q}`, noise)
	return r
}

// hasPrefix tells whether calls are what the words say, one prefix for each.
func hasPrefix(calls []string, words ...string) bool {
	return slices.EqualFunc(calls, words, strings.HasPrefix)
}
