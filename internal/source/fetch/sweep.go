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
	dir := filepath.Join(h.dir, packDir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	for name := range there {
		bare, isIndex := strings.CutSuffix(name, ".idx")
		base, isPack := strings.CutSuffix(name, ".pack")
		switch {
		case strings.HasPrefix(name, tempPrefix), isIndex && !there[bare+".pack"]:
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
		case isPack && !there[base+".idx"]:
			err = errors.Join(err, indexAnew(filepath.Join(dir, base)))
		}
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
