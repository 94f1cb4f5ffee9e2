package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"syncd.io/syncd/internal/durable"
)

// sweep removes what a child that was killed left, and makes whole what it can.
func (h *hold) sweep() error {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), incomingPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(h.dir, e.Name())))
		}
	}
	return errors.Join(err, h.sweepPacks())
}

// sweepPacks leaves packs with their indexes, and nothing else. A pack was checked before
// it came here: one that lost its index gets another, for what it holds may be nowhere
// else any more.
func (h *hold) sweepPacks() error {
	all, err := packFiles(filepath.Join(h.dir, packDir))
	if err != nil {
		return err
	}
	err = all.removeLeftovers()
	for _, base := range all.bare {
		err = errors.Join(err, indexAnew(base))
	}
	return err
}

// lying is what lies in a directory of packs beside packs with their indexes, as paths.
type lying struct {
	leftovers []string // of what was not finished
	bare      []string // packs without an index, without suffix
	strange   []string
}

// packFiles looks through a directory of packs.
func packFiles(dir string) (lying, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return lying{}, err
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	var out lying
	for name := range there {
		of, isIndex := strings.CutSuffix(name, ".idx")
		base, isPack := strings.CutSuffix(name, ".pack")
		switch {
		case strings.HasPrefix(name, tempPrefix), isIndex && !there[of+".pack"]:
			out.leftovers = append(out.leftovers, filepath.Join(dir, name))
		case isPack && !there[base+".idx"]:
			out.bare = append(out.bare, filepath.Join(dir, base))
		case !isPack && !isIndex:
			out.strange = append(out.strange, filepath.Join(dir, name))
		}
	}
	return out, nil
}

// removeLeftovers removes what was not finished.
func (p lying) removeLeftovers() error {
	var err error
	for _, path := range p.leftovers {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// indexAnew writes the index of a pack; base is its path without suffix. One that cannot
// be read is a damagedHold.
func indexAnew(base string) (err error) {
	pack, err := os.Open(base + ".pack")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pack.Close()) }()
	index := new(idxfile.Writer)
	if _, err := parse(pack, index); err != nil {
		return &damagedHold{fmt.Errorf("a pack has no index, and cannot be read: %w", err)}
	}
	temp := filepath.Join(filepath.Dir(base), tempPrefix+filepath.Base(base)+".idx")
	if err := writeIndex(index, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, base+".idx"); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(base))
}
