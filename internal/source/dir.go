package source

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/tree"
)

// LoadDir takes a local directory as a snapshot, in place: what a commit of all
// that is in it would hold. It leaves out .git, and refuses what a fetch with these
// limits would refuse; a zero limit is the default. Revision has no commit. Errors:
// Rejected where the directory is not there or holds too much; the context's cause.
func LoadDir(ctx context.Context, dir string, limits config.Limits) (Snapshot, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("find directory %s: %w", dir, err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return Snapshot{}, fault.As(fault.Rejected, fmt.Errorf("read directory: %w", err))
	}
	scan := &scan{ctx: ctx, root: abs, budget: tree.Budget{Limits: limitsOf(limits.Defaults())}, links: tree.Links{}}
	if err := filepath.WalkDir(abs, scan.visit); err != nil {
		return Snapshot{}, fmt.Errorf("read directory %s: %w", dir, err)
	}
	judge := scan.links.Judge()
	for i, f := range scan.files {
		if f.Mode != ModeLink || f.Refused != "" {
			continue
		}
		if scan.files[i].Refused, err = judge.Refusal(f.Path); err != nil {
			return Snapshot{}, fmt.Errorf("read directory %s: %w", dir, err)
		}
	}
	slices.SortFunc(scan.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return Snapshot{Revision: Revision{Ref: abs}, Dir: abs, Files: scan.files}, nil
}

// scan collects a directory's files.
type scan struct {
	ctx    context.Context
	root   string
	budget tree.Budget
	links  tree.Links
	files  []File
}

func (s *scan) visit(path string, d fs.DirEntry, err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	if path == s.root {
		if !d.IsDir() {
			return fault.As(fault.Rejected, fmt.Errorf("%s is not a directory", path))
		}
		return nil
	}
	if d.Name() == ".git" { // a directory, or the file of a linked worktree
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	rel, err := filepath.Rel(s.root, path)
	if err != nil {
		return err
	}
	if err := s.budget.Entry(rel, d.IsDir()); err != nil {
		return err
	}
	if err := tree.Name(d.Name()); err != nil {
		return fault.As(fault.Rejected, err)
	}
	if d.IsDir() {
		return nil
	}
	return s.add(path, rel)
}

func (s *scan) add(path, rel string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	f := File{Path: tree.Escaped(rel), Mode: gitMode(info), Size: info.Size(), Refused: s.budget.TooLong(info.Size())}
	switch {
	case f.Mode == 0:
		f.Refused = tree.RefusedKind
	case f.Path != rel:
		f.Refused = tree.RefusedName
	case f.Refused == "":
		err = s.hash(path, info, &f)
	}
	s.files = append(s.files, f)
	return err
}

func (s *scan) hash(path string, info os.FileInfo, f *File) error {
	if err := s.budget.Bytes(info.Size()); err != nil {
		return err
	}
	hash, err := hashOf(path, info)
	if err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("read %s: %w", f.Path, err))
	}
	f.Hash = hash
	if f.Mode == ModeLink {
		if s.links[f.Path], err = os.Readlink(path); err != nil {
			return fault.As(fault.Rejected, err)
		}
		return nil
	}
	if info.Size() < tree.PointerSize && pointerFile(path) {
		f.Refused = tree.RefusedPointer
	}
	return nil
}

func pointerFile(path string) bool {
	data, err := os.ReadFile(path)
	return err == nil && tree.Pointer(data)
}

// hashOf is Git's object name for a file or a link.
func hashOf(path string, info os.FileInfo) (string, error) {
	if info.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		return blobHash(strings.NewReader(target), int64(len(target)))
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return blobHash(f, info.Size())
}
