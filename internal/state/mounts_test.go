package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// repository is a directory with files, directories and links to mount from.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	conf := filepath.Join(root, "conf")
	if err := errorsOf(
		os.MkdirAll(filepath.Join(conf, "sub", "deep"), 0o700),
		os.WriteFile(filepath.Join(root, "secret"), []byte("outside"), 0o600),
		os.WriteFile(filepath.Join(conf, "a.conf"), []byte("a"), 0o600),
		os.WriteFile(filepath.Join(conf, "sub", "run.sh"), []byte("#!"), 0o700),
		os.Symlink("../a.conf", filepath.Join(conf, "sub", "link")),
		os.Symlink("nowhere", filepath.Join(conf, "dangling")),
		os.Symlink("conf/a.conf", filepath.Join(root, "alias")),
		os.Symlink("/etc/hostname", filepath.Join(root, "absolute")),
		os.Symlink("../../etc/hostname", filepath.Join(root, "leaving")),
	); err != nil {
		t.Fatal(err)
	}
	return root
}

func mounts(t *testing.T) Mounts {
	t.Helper()
	return Mounts{Dir: filepath.Join(t.TempDir(), "state", "mounts")}
}

func TestPutMaterialisesTrees(t *testing.T) {
	m, root := mounts(t), repository(t)
	source := MountSource{Hash: "h1", Name: "conf", Path: "conf"}
	for range 2 { // the second finds it there
		if err := m.Put(t.Context(), root, source); err != nil {
			t.Fatal(err)
		}
	}
	got := listing(t, filepath.Join(m.Dir, "h1"))
	want := []string{
		"conf drwxr-xr-x", "conf/a.conf -rw-r--r-- a", "conf/dangling -> nowhere", "conf/sub drwxr-xr-x",
		"conf/sub/deep drwxr-xr-x", "conf/sub/link -> ../a.conf", "conf/sub/run.sh -rwxr-xr-x #!",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, dir := range []string{m.Dir, filepath.Join(m.Dir, "h1")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
			t.Errorf("%s: %v, %v: whoever a container runs as must pass, and not list", dir, info.Mode(), err)
		}
	}
}

// listing prints everything below dir.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, info := strings.TrimPrefix(path, dir+"/"), must(entry.Info())
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			out = append(out, name+" -> "+must(os.Readlink(path)))
		case info.IsDir():
			out = append(out, name+" "+info.Mode().String())
		default:
			out = append(out, name+" "+info.Mode().String()+" "+string(must(os.ReadFile(path))))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPutMaterialisesFiles(t *testing.T) {
	m, root := mounts(t), repository(t)
	for name, c := range map[string]struct {
		source MountSource
		want   string
	}{
		"file":       {MountSource{Path: "conf/a.conf"}, "n -rw-r--r-- a"},
		"executable": {MountSource{Path: "conf/sub/run.sh"}, "n -rwxr-xr-x #!"},
		"mode":       {MountSource{Path: "conf/a.conf", Mode: 0o440}, "n -r--r----- a"},
		"link":       {MountSource{Path: "alias"}, "n -rw-r--r-- a"},
		"content":    {MountSource{Content: []byte("inline"), Mode: 0o400}, "n -r-------- inline"},
		"empty":      {MountSource{}, "n -rw-r--r-- "},
		"dotfile":    {MountSource{Name: ".htpasswd", Path: "conf/a.conf"}, ".htpasswd -rw-r--r-- a"},
		"dots":       {MountSource{Name: "...", Content: []byte("c")}, "... -rw-r--r-- c"},
	} {
		c.source.Hash, c.source.Name = "h-"+name, cmp.Or(c.source.Name, "n")
		if err := m.Put(t.Context(), root, c.source); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := listing(t, filepath.Join(m.Dir, c.source.Hash)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPutGivesTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		if testing.Short() {
			t.Skip("needs root")
		}
		t.Fatal("needs root (or run with -short)")
	}
	m, root := mounts(t), repository(t)
	for _, source := range []MountSource{{Hash: "file", Name: "n", Path: "conf/a.conf", Mode: 0o400, UID: 1234, GID: 99}, {Hash: "tree", Name: "n", Path: "conf", UID: 1234, GID: 99}} {
		if err := m.Put(t.Context(), root, source); err != nil {
			t.Fatal(err)
		}
		if err := filepath.WalkDir(filepath.Join(m.Dir, source.Hash, "n"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if stat, ok := must(entry.Info()).Sys().(*syscall.Stat_t); !ok || stat.Uid != 1234 || stat.Gid != 99 {
				t.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoNamesOfOneHash(t *testing.T) {
	m, root := mounts(t), repository(t)
	for _, name := range []string{"one", "two"} {
		if err := m.Put(t.Context(), root, MountSource{Hash: "h", Name: name, Path: "conf/a.conf"}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := listing(t, m.Dir), []string{"h drwx--x--x", "h/one -rw-r--r-- a", "h/two -rw-r--r-- a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What leaves the repository, or the tree that is mounted, is rejected with its
// name, and nothing of it appears.
func TestPutRejectsWhatLeaves(t *testing.T) {
	m, root := mounts(t), repository(t)
	for name, target := range map[string]string{"up": "../secret", "absolute": "/etc/hostname", "back": "../conf/a.conf", "through": "sub/deep/../../../secret"} {
		dir := filepath.Join(root, "tree-"+name)
		if err := errorsOf(os.Mkdir(dir, 0o755), os.Symlink(target, filepath.Join(dir, "link"))); err != nil {
			t.Fatal(err)
		}
	}
	pipe := filepath.Join(root, "tree-pipe")
	climb := filepath.Join(root, "tree-climb", "deep")
	if err := errorsOf(os.Mkdir(pipe, 0o755), syscall.Mkfifo(filepath.Join(pipe, "fifo"), 0o600), os.MkdirAll(climb, 0o755),
		os.Symlink("..", filepath.Join(climb, "up")), os.Symlink("up/../secret", filepath.Join(climb, "link"))); err != nil {
		t.Fatal(err)
	}
	left := "the link leaves the directory that is mounted"
	for path, want := range map[string]string{
		"tree-up": "read tree-up/link: " + left, "tree-absolute": "read tree-absolute/link: " + left, "tree-back": "read tree-back/link: " + left,
		"tree-through": "read tree-through/link: " + left, "tree-climb": "read tree-climb/deep/link: " + left,
		"tree-pipe": "read tree-pipe/fifo: it is neither a file, a directory nor a link",
		"absolute":  "read absolute: path escapes from parent", "leaving": "read leaving: path escapes from parent",
		"../secret": "read ../secret: path escapes from parent", "/etc/hostname": "read /etc/hostname: path escapes from parent", "none": "read none: no such file or directory",
	} {
		err := m.Put(t.Context(), root, MountSource{Hash: "h", Name: "n", Path: path})
		if fault.Of(err) != fault.Rejected || err.Error() != "materialise "+path+": "+want {
			t.Errorf("%s: %v\nwant %s", path, err, want)
		}
	}
	for _, bad := range []MountSource{{Hash: "..", Name: "n"}, {Hash: "h", Name: "../n"}, {Hash: "", Name: "n"}, {Hash: ".new-x", Name: "n"}, {Hash: "a/b", Name: "n"}, {Hash: "h", Name: "."}, {Hash: "h", Name: ".."}, {Hash: "h"}} {
		if err := m.Put(t.Context(), root, bad); fault.Of(err) != fault.Rejected {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if left, err := os.ReadDir(m.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An agent that may open no more files says nothing about a revision.
func TestPutBlamesNoSourceForWhatTheAgentLacks(t *testing.T) {
	m, root := mounts(t), repository(t)
	deep := filepath.Join(root, "links", "z", "y", "x")
	ok(t, errorsOf(os.MkdirAll(filepath.Dir(deep), 0o700), os.WriteFile(deep, nil, 0o600), os.Symlink("z/y/x", filepath.Join(root, "links", "a"))))
	var limit syscall.Rlimit
	ok(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	free, err := os.Open(root)
	ok(t, err)
	next := uint64(free.Fd())
	ok(t, free.Close())
	lacking := map[string]int{}
	for more := range uint64(12) {
		for _, source := range []MountSource{{Hash: "file", Name: "n", Path: "conf/sub/run.sh"}, {Hash: "tree", Name: "n", Path: "conf"}, {Hash: "links", Name: "n", Path: "links"}} {
			source.Hash += fmt.Sprint(more)
			ok(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: next + more, Max: limit.Max}))
			err := m.Put(t.Context(), root, source)
			ok(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
			if errors.Is(err, syscall.EMFILE) {
				lacking[source.Path]++
			}
			if err != nil && (fault.Of(err) != fault.Blocked || !errors.Is(err, syscall.EMFILE)) {
				t.Errorf("%s with %d more files: %v (class %s)", source.Path, more, err, fault.Of(err))
			}
		}
	}
	for path, times := range lacking {
		if times == 12 {
			t.Errorf("%s was never put", path)
		}
	}
	if len(lacking) != 3 {
		t.Errorf("nothing was lacking: %v", lacking)
	}
}

func TestPutStopsWithItsContext(t *testing.T) {
	m, root := mounts(t), repository(t)
	superseded := errors.New("superseded")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(superseded)
	for _, path := range []string{"conf", "conf/a.conf"} {
		if err := m.Put(ctx, root, MountSource{Hash: "h", Name: "n", Path: path}); !errors.Is(err, superseded) || fault.Of(err) != fault.Unknown {
			t.Errorf("%s: %v, class %s", path, err, fault.Of(err))
		}
	}
	if left, err := os.ReadDir(m.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestPutsSideBySide(t *testing.T) {
	m, root := mounts(t), repository(t)
	errs := make(chan error, 40)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			errs <- m.Put(t.Context(), root, MountSource{Hash: fmt.Sprint("h", i%3), Name: "conf", Path: "conf"})
		})
		all.Go(func() {
			_, err := m.Collect(map[string]bool{"h0": true, "h1": true, "h2": true})
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	for i := range 3 {
		if got := listing(t, filepath.Join(m.Dir, fmt.Sprint("h", i))); len(got) != 7 {
			t.Errorf("h%d holds %q", i, got)
		}
	}
	if left, err := filepath.Glob(filepath.Join(m.Dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCollectRemovesWhatNothingRefersTo(t *testing.T) {
	m, root := mounts(t), repository(t)
	if removed, err := m.Collect(nil); err != nil || removed != nil {
		t.Fatalf("without a directory: %v, %v", removed, err)
	}
	for _, hash := range []string{"kept", "old", "older"} {
		if err := m.Put(t.Context(), root, MountSource{Hash: hash, Name: "conf", Path: "conf", Mode: 0o444}); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := m.Collect(map[string]bool{"kept": true})
	if err != nil || !slices.Equal(removed, []string{"old", "older"}) {
		t.Errorf("removed %v, %v", removed, err)
	}
	if entries, err := os.ReadDir(m.Dir); err != nil || len(entries) != 1 || entries[0].Name() != "kept" {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestCollectSparesWhatWasJustPut(t *testing.T) {
	m, root := mounts(t), repository(t)
	m.Grace = time.Hour
	source, old := MountSource{Hash: "h", Name: "n", Path: "conf"}, time.Now().Add(-2*time.Hour)
	put := func() {
		t.Helper()
		if err := m.Put(t.Context(), root, source); err != nil {
			t.Fatal(err)
		}
	}
	collect := func(want int) {
		t.Helper()
		if removed, err := m.Collect(nil); err != nil || len(removed) != want {
			t.Fatalf("removed %v, %v; want %d", removed, err, want)
		}
	}
	age := func() {
		t.Helper()
		if err := os.Chtimes(filepath.Join(m.Dir, "h"), old, old); err != nil {
			t.Fatal(err)
		}
	}
	put()
	collect(0)
	age()
	put() // it was there already, and is wanted again
	collect(0)
	age()
	collect(1)
}

func TestCollectRemovesLeftoversOfAKilledProcess(t *testing.T) {
	m := mounts(t)
	old := time.Now().Add(-2 * abandoned)
	for _, name := range []string{".new-a-1", ".new-b-2", ".new-c-3"} {
		if err := errorsOf(os.MkdirAll(filepath.Join(m.Dir, name, "n"), 0o755), os.Chtimes(filepath.Join(m.Dir, name), old, old)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(m.Dir, ".new-c-3"), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(filepath.Join(m.Dir, ".new-b-2"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if removed, err := m.Collect(nil); err != nil || removed != nil {
		t.Errorf("removed %v, %v: a leftover is no mount", removed, err)
	}
	left, err := filepath.Glob(filepath.Join(m.Dir, ".new-*"))
	if err != nil || len(left) != 2 || strings.HasSuffix(left[0], "a-1") {
		t.Errorf("left %v, %v; want the one that is held and the one that is new", left, err)
	}
}

// What cannot be removed whole, or is not for a kill in between, is no mount any more:
// whoever puts it again gets all of it.
func TestAMountThatIsHalfRemovedIsPutAnew(t *testing.T) {
	m, root := mounts(t), repository(t)
	source, home := MountSource{Hash: "h", Name: "conf", Path: "conf"}, filepath.Join(m.Dir, "h")
	put := func() []string {
		t.Helper()
		if err := m.Put(t.Context(), root, source); err != nil {
			t.Fatal(err)
		}
		return listing(t, home)
	}
	whole := put()
	if err := m.Put(t.Context(), root, MountSource{Hash: "other", Name: "n", Path: "conf"}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", filepath.Join(home, "conf", "sub"), "tmpfs", 0, "size=64k"); err != nil {
		if testing.Short() {
			t.Skip("needs the right to mount")
		}
		t.Fatal("needs the right to mount (or run with -short)")
	}
	removed, err := m.Collect(nil)
	busy, failed := filepath.Glob(filepath.Join(m.Dir, "*", "conf", "sub"))
	if failed != nil || len(busy) != 1 {
		t.Fatalf("what is in use was moved to %v, %v", busy, failed)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(busy[0], syscall.MNT_DETACH); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	})
	if fault.Of(err) != fault.Blocked || !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), "collect mount h: ") || !slices.Equal(removed, []string{"other"}) {
		t.Errorf("with one in use, the removed are %v, %v", removed, err)
	}
	if got := put(); !slices.Equal(got, whole) {
		t.Errorf("it holds %q", got)
	}
	if err := syscall.Unmount(busy[0], syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if removed, err := m.Collect(nil); err != nil || !slices.Equal(removed, []string{"h"}) {
		t.Errorf("removed %v, %v", removed, err)
	}
	if left, err := os.ReadDir(m.Dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
