package fetch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/tree"
)

// forge makes objects that Git itself would not.
type forge struct {
	t     testing.TB
	store *memory.Storage
}

func newForge(t testing.TB) forge { return forge{t, memory.NewStorage()} }

func (f forge) object(kind plumbing.ObjectType, content string) plumbing.Hash {
	f.t.Helper()
	o := &plumbing.MemoryObject{}
	o.SetType(kind)
	if _, err := o.Write([]byte(content)); err != nil {
		f.t.Fatal(err)
	}
	hash, err := f.store.SetEncodedObject(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return hash
}

// line is one entry of a tree object.
func line(mode, name string, hash plumbing.Hash) string {
	return mode + " " + name + "\x00" + string(hash[:])
}

func (f forge) commit(root string) plumbing.Hash {
	f.t.Helper()
	hash := f.object(plumbing.TreeObject, root)
	return f.object(plumbing.CommitObject, fmt.Sprintf("tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n", hash))
}

func (f forge) walk(commit plumbing.Hash) ([]entry, error) {
	f.t.Helper()
	found, err := walk(f.t.Context(), objectReader{store: f.store}, commit, tree.Budget{Limits: tree.Limits{File: 1 << 10, Files: 100, Disk: 1 << 20}}, nil)
	return found.entries, err
}

// Objects are hashed again: a store that says something else than was asked for
// is not believed.
func TestObjectsThatAreNotWhatTheirNameSays(t *testing.T) {
	f := newForge(t)
	blob := f.object(plumbing.BlobObject, "honest")
	inner := f.object(plumbing.TreeObject, line("100644", "a", blob))
	commit := f.commit(line("40000", "dir", inner))
	for name, hash := range map[string]plumbing.Hash{"file": blob, "directory": inner, "commit": commit} {
		good := f.store.Objects[hash]
		evil := &plumbing.MemoryObject{}
		evil.SetType(good.Type())
		if _, err := evil.Write([]byte(strings.Repeat("x", int(good.Size())))); err != nil {
			t.Fatal(err)
		}
		f.store.Objects[hash] = evil
		f.store.Blobs[hash], f.store.Trees[hash], f.store.Commits[hash] = evil, evil, evil
		if _, err := f.walk(commit); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "do not fit its name") {
			t.Errorf("%s: %v (%v)", name, err, fault.Of(err))
		}
		f.store.Objects[hash] = good
		f.store.Blobs[hash], f.store.Trees[hash], f.store.Commits[hash] = good, good, good
	}
	if entries, err := f.walk(commit); err != nil || len(entries) != 1 {
		t.Errorf("the honest one: %v, %v", entries, err)
	}
}

// A long file is not read before it is written, and hashed all the same.
func TestALongFileIsHashedWhileItIsWritten(t *testing.T) {
	f := newForge(t)
	blob := f.object(plumbing.BlobObject, strings.Repeat("y", tree.PointerSize))
	entries, err := f.walk(f.commit(line("100644", "a", blob)))
	if err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), objectReader{store: f.store}, entries, t.TempDir()); err != nil {
		t.Errorf("the honest one: %v", err)
	}
	evil := f.store.Blobs[f.object(plumbing.BlobObject, strings.Repeat("x", tree.PointerSize))]
	f.store.Objects[blob], f.store.Blobs[blob] = evil, evil
	if err := write(t.Context(), objectReader{store: f.store}, entries, t.TempDir()); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "do not fit its name") {
		t.Errorf("another one under its name: %v (%v)", err, fault.Of(err))
	}
}

// FuzzWalk: whatever entries a commit has, what is to be written stays below the
// directory, can be shown, and is written there and nowhere else.
func FuzzWalk(f *testing.F) {
	f.Add("100644 a\n40000 dir\n120000 link", "dir/a")
	f.Add("120000 up\n100755 run", "../..")
	f.Add("40000 .git\n100644 \x1b[31m", "/etc/passwd")
	f.Add("160000 module\n100644 x\n100644 x", "x")
	f.Fuzz(func(t *testing.T, lines, target string) {
		forge := newForge(t)
		blob, link := forge.object(plumbing.BlobObject, "content"), forge.object(plumbing.BlobObject, target)
		inner := forge.object(plumbing.TreeObject, line("100644", "f", blob)+line("120000", "l", link))
		var root string
		for entry := range strings.SplitSeq(lines, "\n") {
			mode, name, _ := strings.Cut(entry, " ")
			root += line(mode, name, map[string]plumbing.Hash{"40000": inner, "120000": link}[mode])
			if mode != "40000" && mode != "120000" {
				root = strings.TrimSuffix(root, string(plumbing.ZeroHash[:])) + string(blob[:])
			}
		}
		entries, err := forge.walk(forge.commit(root))
		if err != nil {
			return
		}
		var good []entry
		for _, e := range entries {
			if !tree.Plain(e.Path) {
				t.Errorf("%q cannot be shown", e.Path)
			}
			if e.Refused == "" && !filepath.IsLocal(e.Path) {
				t.Errorf("%q leaves the directory", e.Path)
			}
			if e.Refused == "" {
				good = append(good, e)
			}
		}
		written(t, forge, good)
	})
}

// written writes entries, and counts what came of them.
func written(t *testing.T, f forge, entries []entry) {
	t.Helper()
	above := t.TempDir()
	dir := filepath.Join(above, "files")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), objectReader{store: f.store}, entries, dir); err != nil {
		return // a name that this file system does not take
	}
	for _, e := range entries {
		info, err := os.Lstat(filepath.Join(dir, e.Path))
		if err != nil || (info.Mode()&os.ModeSymlink != 0) != (e.Mode == source.ModeLink) {
			t.Errorf("%q is not there as it should be: %v", e.Path, err)
		}
		if _, err := os.Stat(filepath.Join(dir, e.Path)); e.Mode == source.ModeLink && err == nil {
			end, err := filepath.EvalSymlinks(filepath.Join(dir, e.Path))
			if err != nil || end != dir && !strings.HasPrefix(end, dir+"/") {
				t.Errorf("the link %q leads to %q", e.Path, end)
			}
		}
	}
	if beside, err := os.ReadDir(above); err != nil || len(beside) != 1 {
		t.Errorf("written beside the directory: %v, %v", beside, err)
	}
}
