package source

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// treeSum is Git's object name for the root directory that a list of files makes.
// Directories without files, which git never writes, and file modes of old are not
// in the list: a commit that has them gets another sum than its own.
func treeSum(files []File) (string, error) {
	root := &folder{}
	for _, f := range files {
		if err := root.add(strings.Split(f.Path, "/"), f); err != nil {
			return "", err
		}
	}
	return root.sum()
}

// folder is one directory of a commit: its files, and those below it.
type folder struct {
	names []string // in the order of first sight
	files map[string]File
	below map[string]*folder
}

func (d *folder) add(path []string, f File) error {
	name, err := unescaped(path[0])
	if err != nil {
		return err
	}
	if len(path) == 1 {
		if d.files == nil {
			d.files = map[string]File{}
		}
		d.files[name] = f
		d.names = append(d.names, name)
		return nil
	}
	if d.below == nil {
		d.below = map[string]*folder{}
	}
	if d.below[name] == nil {
		d.below[name] = &folder{}
		d.names = append(d.names, name)
	}
	return d.below[name].add(path[1:], f)
}

// sum orders the entries as Git does: a directory as if a slash ended its name.
func (d *folder) sum() (string, error) {
	slices.SortFunc(d.names, func(a, b string) int { return strings.Compare(d.sortName(a), d.sortName(b)) })
	var raw []byte
	for _, name := range d.names {
		mode, hash := d.files[name].Mode, d.files[name].Hash
		if sub := d.below[name]; sub != nil {
			var err error
			if mode = 0o40000; len(d.files[name].Hash) > 0 {
				return "", fmt.Errorf("%q is a file and a directory", name)
			}
			if hash, err = sub.sum(); err != nil {
				return "", err
			}
		}
		digest, err := hex.DecodeString(hash)
		if err != nil || len(digest) != 20 {
			return "", fmt.Errorf("%q has no object name", name)
		}
		raw = fmt.Appendf(raw, "%o %s\x00", mode, name)
		raw = append(raw, digest...)
	}
	return objectHash("tree", raw), nil
}

func (d *folder) sortName(name string) string {
	if d.below[name] != nil {
		return name + "/"
	}
	return name
}

// unescaped is the inverse of tree.Escaped.
func unescaped(name string) (string, error) {
	if !strings.Contains(name, `\`) {
		return name, nil
	}
	var out []byte
	for name != "" {
		if name[0] != '\\' {
			out, name = append(out, name[0]), name[1:]
			continue
		}
		if len(name) < 4 || name[1] != 'x' {
			return "", fmt.Errorf("%q is no name of a file", name)
		}
		c, err := strconv.ParseUint(name[2:4], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q is no name of a file", name)
		}
		out, name = append(out, byte(c)), name[4:]
	}
	return string(out), nil
}

// covered tells whether the snapshot holds what the commit names that was verified:
// a signature is worth nothing if the files beside it are others.
func (r *Repository) covered(s Snapshot) error {
	want := r.treeOf(s.Revision.Commit)
	if want == "" {
		return nil
	}
	got, err := treeSum(s.Files)
	if err == nil && got != want {
		err = errors.New("the files do not add up to what was signed")
	}
	if err != nil {
		err = fault.As(fault.Rejected, fmt.Errorf("commit %s: %w", s.Revision.Short(), err))
		return fault.Hint(err, "a commit with empty directories or file modes that git writes no more cannot be verified: commit its files anew")
	}
	return nil
}

// backed holds what was fetched against what was verified, its bytes included; where
// nothing was verified, the child has done so.
func (r *Repository) backed(ctx context.Context, s Snapshot) error {
	switch {
	case r.opts.Verify == nil:
		return nil
	case r.treeOf(s.Revision.Commit) == "": // somebody asked to look at all anew meanwhile
		return fault.As(fault.Unreachable, fmt.Errorf("what was found out about commit %s was forgotten meanwhile", s.Revision.Short()))
	}
	if err := r.covered(s); err != nil {
		return err
	}
	return r.intact(ctx, s)
}
