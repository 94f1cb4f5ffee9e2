package state

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
)

// orphanAge is the age from which a chunk that no pointer needs is a leftover: a
// younger one may be another agent's, which is just about to write the pointer.
const orphanAge = time.Hour

// stock is all that was found when the record was opened.
type stock struct {
	key     *blob.Blob
	records []blob.Blob
	chunks  map[string]blob.Blob
	broken  []blob.Blob
	needed  map[string]bool   // names of chunks
	healed  map[string]string // how, by app
	useless []blob.Blob       // what may go
}

func stockOf(all []blob.Blob) *stock {
	s := &stock{chunks: map[string]blob.Blob{}, needed: map[string]bool{}, healed: map[string]string{}}
	for _, b := range all {
		switch {
		case b.Name == keyName:
			s.key = &b
		case b.Part == recordPart:
			s.records = append(s.records, b)
		case b.Part == chunkPart:
			s.chunks[b.Name] = b
		case b.Part == brokenPart:
			s.broken = append(s.broken, b)
		}
		if b.Part == recordPart || b.Part == brokenPart {
			for _, name := range needs(b.Data) {
				s.needed[name] = true
			}
		}
	}
	return s
}

const keyName = "syncd-key"

// key returns the key that seals the record, or makes one where there is none and
// nothing is sealed with it yet: of two that do so at once, one wins, and both
// use its.
func (c *Cluster) key(ctx context.Context, s *stock) ([]byte, error) {
	switch {
	case s.key == nil && len(s.records) > 0:
		err := fault.As(fault.Blocked, fmt.Errorf("it has no key: %s is missing", keyName))
		return nil, fault.Hint(err, "put that Secret back; if it is lost, begin anew by deleting those with the label syncd.io/part, then syncd adopt each app")
	case s.key != nil:
		return whole(s.key.Data)
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	_, err := c.opts.Blobs.Put(call, blob.Blob{Name: keyName, Part: keyPart, Data: key, Fixed: true})
	if errors.Is(err, fs.ErrExist) {
		there, err := c.opts.Blobs.Get(call, keyName)
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
		return whole(there.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// whole refuses a key of the wrong length: with another one, all that is sealed
// would be lost.
func whole(key []byte) ([]byte, error) {
	if len(key) == keySize {
		return key, nil
	}
	err := fault.As(fault.Blocked, fmt.Errorf("the key in %s has %d bytes and not %d", keyName, len(key), keySize))
	return nil, fault.Hint(err, "put the right one back; if it is lost, begin anew by deleting all Secrets with the label syncd.io/part, then syncd adopt each app")
}

// shelve reads one pointer's content; one that does not open is set aside.
func (c *Cluster) shelve(ctx context.Context, s *stock, pointer blob.Blob) error {
	content, err := c.open(s, pointer)
	if err != nil {
		return c.setAside(ctx, s, pointer, err)
	}
	app := content.label.App
	shelf := newShelf(app)
	shelf.now, shelf.version, shelf.chunks = content, pointer.Version, needs(pointer.Data)
	shelf.sum = sha256.Sum256(pointer.Data)
	c.shelves[app] = shelf
	c.last = max(c.last, content.label.Last)
	return nil
}

func (c *Cluster) open(s *stock, pointer blob.Blob) (content, error) {
	sealed := join(pointer.Data, s.chunks)
	if sealed == nil {
		return content{}, errors.New("a chunk of it is missing")
	}
	plain, err := c.seal.open(sealed, place(recordPart, []byte(pointer.Name)))
	if err != nil {
		return content{}, err
	}
	got, err := decode(plain)
	if err == nil && pointerName(got.label.App) != pointer.Name {
		err = errContent
	}
	return got, err
}

// setAside copies a pointer that does not open to a name of its own, for the day
// on which its key is found, and makes room for a new one.
func (c *Cluster) setAside(ctx context.Context, s *stock, pointer blob.Blob, why error) error {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	app := pointer.Of
	aside := blob.Blob{Name: "syncd-broken-" + chunkName(pointer.Data)[len(chunkPrefix):], Part: brokenPart, Of: app, Data: pointer.Data, Made: c.opts.Now()}
	_, err := c.opts.Blobs.Put(call, aside)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil {
		err = c.opts.Blobs.Delete(call, pointer)
	}
	if err != nil {
		return fmt.Errorf("set damaged record %s aside: %w", pointer.Name, err)
	}
	if !slices.ContainsFunc(s.broken, func(b blob.Blob) bool { return b.Name == aside.Name }) { // an agent was ended before it made room
		s.broken = append(s.broken, aside)
	}
	c.last = max(c.last, uint64(c.opts.Now().Unix())) // its IDs are unknown, and fewer than seconds
	s.healed[app] = fmt.Sprintf("%v: it is set aside as %s, and the app is treated as new; there is no way back until a revision is good again", why, aside.Name)
	return nil
}

// putBack shelves the newest of what was set aside and opens, for apps that have no
// record that does: its key was found.
func (c *Cluster) putBack(ctx context.Context, s *stock) error {
	slices.SortFunc(s.broken, func(a, b blob.Blob) int { return b.Made.Compare(a.Made) })
	var left []blob.Blob
	for _, b := range s.broken {
		pointer := blob.Blob{Name: pointerName(b.Of), Part: recordPart, Of: b.Of, Data: b.Data}
		if _, err := c.open(s, pointer); err != nil || c.shelves[b.Of] != nil {
			left = append(left, b)
			continue
		}
		call, cancel := context.WithTimeout(ctx, callLimit)
		version, err := c.opts.Blobs.Put(call, pointer)
		cancel()
		if err != nil {
			return fmt.Errorf("put record %s back: %w", pointer.Name, err)
		}
		pointer.Version = version
		if err := c.shelve(ctx, s, pointer); err != nil {
			return err
		}
		s.useless, s.healed[b.Of] = append(s.useless, b), "it opens with this key, and is put back"
	}
	s.broken = left
	return nil
}

// tidy removes chunks that no pointer needs, and all but the newest of what is
// broken. What cannot be removed stays for the next time, also all that is left where
// nobody answers. Errors: ctx's.
func (c *Cluster) tidy(ctx context.Context, s *stock) error {
	for _, chunk := range s.chunks {
		if !s.needed[chunk.Name] && c.opts.Now().Sub(chunk.Made) > orphanAge {
			s.useless = append(s.useless, chunk)
		}
	}
	kept := map[string]int{}
	for _, b := range s.broken {
		if kept[b.Of]++; kept[b.Of] > keepBroken {
			s.useless = append(s.useless, b)
		}
	}
	for _, b := range s.useless {
		call, cancel := context.WithTimeout(ctx, callLimit)
		err := c.opts.Blobs.Delete(call, b)
		cancel()
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("remove %s: %w", b.Name, err)
		case fault.Of(err) == fault.Unreachable:
			return nil
		}
	}
	return nil
}
