package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"sync"

	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
)

// shelf is the place of one app's content: a pointer, which holds it or names the
// chunks that do.
type shelf struct {
	name    string
	now     content    // guarded by the Cluster
	writing sync.Mutex // held by who writes; it guards what follows
	version string     // the pointer's; empty where there is none
	chunks  []string   // that the pointer needs
	stale   []string   // that it needs no more, or that it may not have come to need
	sum     [32]byte   // of the pointer
	unsure  [][32]byte // pointers whose writing came to nobody knows what
}

func newShelf(app string) *shelf {
	return &shelf{name: pointerName(app), now: content{label: label{App: app}}}
}

// plainName is an app's name that a blob's name may end with.
func plainName(app string) bool {
	return len(app) <= 200 && regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(app)
}

// pointerName is that of an app's pointer: the app's own, where a cluster takes
// that, else one made from its hash, which no other app can have.
func pointerName(app string) string {
	if plainName(app) {
		return "syncd-record-" + app
	}
	sum := sha256.Sum256([]byte(app))
	return "syncd-record." + hex.EncodeToString(sum[:16])
}

// errSuperseded says that what is known here is no longer true.
var errSuperseded = errors.New("another agent writes this record")

// write puts next in place of what is kept: the chunks first, the pointer last,
// so that whoever reads finds the old content or the new one, whole.
func (c *Cluster) write(s *shelf, next content) error {
	if err := c.may(); err != nil {
		return err
	}
	plain, err := next.encode()
	if err != nil {
		return err
	}
	pointer, chunks := split(c.seal.close(plain, place(recordPart, []byte(s.name))), c.chunk)
	for _, chunk := range chunks {
		s.stale = append(s.stale, chunk.Name) // until the pointer needs it
		chunk.Of = next.label.App
		if _, err := c.put(chunk); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := c.point(s, blob.Blob{Name: s.name, Part: recordPart, Of: next.label.App, Data: pointer}); err != nil {
		return err
	}
	c.settle(s, next, chunks)
	c.sweep(s)
	return nil
}

// settle takes note of a write that has arrived.
func (c *Cluster) settle(s *shelf, next content, chunks []blob.Blob) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.now = next
	s.stale = append(s.stale, s.chunks...)
	s.chunks, s.unsure, s.sum = nil, nil, s.unsure[len(s.unsure)-1]
	for _, chunk := range chunks {
		s.chunks = append(s.chunks, chunk.Name)
	}
	s.stale = slices.DeleteFunc(s.stale, func(name string) bool { return slices.Contains(s.chunks, name) })
}

// sweep removes the chunks that nobody needs. What cannot be removed now is
// tried again after the next write, and when the record is opened.
func (c *Cluster) sweep(s *shelf) {
	s.stale = slices.DeleteFunc(s.stale, func(name string) bool {
		return c.remove(blob.Blob{Name: name, Part: chunkPart}) == nil
	})
}

// pointTries is how often a pointer is written that is found to be another.
const pointTries = 5

// point writes the pointer in place of the version that is known. Where another
// is there, it is either what an earlier try of ours wrote, of which the answer
// was lost, or another agent's.
func (c *Cluster) point(s *shelf, b blob.Blob) error {
	s.unsure = append(s.unsure, sha256.Sum256(b.Data))
	for range pointTries {
		b.Version = s.version
		version, err := c.put(b)
		switch {
		case err == nil:
			s.version = version
			return nil
		case errors.Is(err, fs.ErrNotExist) && s.version != "": // somebody removed it, and nobody else has made one
			s.version = ""
			continue
		case !errors.Is(err, fs.ErrExist):
			if fault.Of(err) != fault.Unreachable {
				c.refused(s)
			}
			return err
		}
		if err := c.recognise(s); err != nil {
			return err
		}
	}
	return fault.As(fault.Blocked, fmt.Errorf("%s in %s changes faster than it can be written", s.name, c.opts.Place))
}

// refused takes note of a write that has not arrived. Nor have those before it that
// nobody knew of, where the pointer is what it was.
func (c *Cluster) refused(s *shelf) {
	s.unsure = s.unsure[:len(s.unsure)-1]
	if len(s.unsure) == 0 {
		return
	}
	call, cancel := context.WithTimeout(c.life, callLimit)
	defer cancel()
	there, err := c.opts.Blobs.Get(call, s.name)
	if err == nil && there.Version == s.version || errors.Is(err, fs.ErrNotExist) && s.version == "" {
		s.unsure = nil
	}
}

// recognise looks at a pointer that is not what it was: one of ours, also where
// somebody put a label to it, gives its version; another's ends all writing.
func (c *Cluster) recognise(s *shelf) error {
	call, cancel := context.WithTimeout(c.life, callLimit)
	defer cancel()
	there, err := c.opts.Blobs.Get(call, s.name)
	if errors.Is(err, fs.ErrNotExist) {
		s.version = ""
		return nil
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256(there.Data)
	if there.Version == s.version || sum != s.sum && !slices.Contains(s.unsure, sum) {
		return c.supersede(there.Name)
	}
	s.version = there.Version
	return nil
}

// supersede ends all writing of this agent.
func (c *Cluster) supersede(name string) error {
	err := fault.As(fault.Blocked, fmt.Errorf("%w: %s in %s is not what this one wrote", errSuperseded, name, c.opts.Place))
	err = fault.Hint(err, "this agent writes no more and begins anew; if two agents use "+c.opts.Place+", give one of them another: kubernetes.namespace")
	c.mu.Lock()
	first := c.lost == nil
	c.lost = err
	c.mu.Unlock()
	if first && c.opts.Lost != nil {
		c.opts.Lost(err)
	}
	return err
}

// may tells whether this agent may write.
func (c *Cluster) may() error {
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	if lost == nil && c.opts.Fence != nil {
		lost = c.opts.Fence()
	}
	return lost
}

func (c *Cluster) put(b blob.Blob) (version string, err error) {
	call, cancel := context.WithTimeout(c.life, callLimit)
	defer cancel()
	return c.opts.Blobs.Put(call, b)
}

func (c *Cluster) remove(b blob.Blob) error {
	call, cancel := context.WithTimeout(c.life, callLimit)
	defer cancel()
	return c.opts.Blobs.Delete(call, b)
}
