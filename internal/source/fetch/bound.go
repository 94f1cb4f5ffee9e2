package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// boundTime is how long it may take to find out what of an outgrown store is needed: well
// below what a fetch has.
const boundTime = 10 * time.Second

// bound keeps the store from outgrowing a limit in bytes; 0 is none. First all goes that
// nobody needs. Where that is not enough, takes too long or cannot be done, as on a full
// disk, the store begins anew, at the cost of one fetch: histories of which nobody could tell
// what they are worth stay in it, and a hostile server has any number of them.
func (s *store) bound(ctx context.Context, limit int64) error {
	over, err := s.outgrown(limit)
	if err != nil || !over {
		return err
	}
	if s.crowded() {
		return s.clear()
	}
	timed, cancel := context.WithTimeout(ctx, boundTime)
	defer cancel()
	s.bulky = true
	err = s.fold(timed)
	s.bulky = false
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		over, err = s.outgrown(limit)
	}
	if err == nil && !over {
		return nil
	}
	return s.clear()
}

// crowded tells whether there are more objects than it is worth the memory to look
// through: an index has 28 bytes for each, at least. One that cannot be read tells so, too.
func (s *store) crowded() bool {
	packs, err := s.packs()
	var sum int64
	for _, p := range packs {
		info, missing := os.Stat(p.base + ".idx")
		if err = errors.Join(err, missing); err != nil {
			break
		}
		sum += info.Size()
	}
	return err != nil || sum > 28*maxGraph
}

func (s *store) outgrown(limit int64) (bool, error) {
	if limit <= 0 {
		return false, nil
	}
	packs, err := s.packs()
	var sum int64
	for _, p := range packs {
		sum += p.size
	}
	return sum > limit, err
}

// clear removes all packs, and what is said of them.
func (s *store) clear() error {
	err := discard(filepath.Join(s.dir, tipsFile))
	packs, listing := s.packs()
	for _, p := range packs {
		err = errors.Join(err, discard(p.base+".pack"), discard(p.base+".idx"))
	}
	s.added = nil
	s.reopen()
	return errors.Join(err, listing)
}
