package pack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

// dropped is a directory for packs that an agent watches.
type dropped struct {
	t    *testing.T
	host host
	dir  string

	mu    sync.Mutex
	texts []string
	looks int
}

func watchDrop(t *testing.T, f forge) *dropped {
	t.Helper()
	d := &dropped{t: t, host: newHost(t, f), dir: t.TempDir()}
	return d
}

func (d *dropped) run() {
	drop := &pack.Drop{
		Dir: d.dir, Inbox: d.host.Inbox,
		Tell: func(text string) { d.mu.Lock(); defer d.mu.Unlock(); d.texts = append(d.texts, text) },
		Look: func() { d.mu.Lock(); defer d.mu.Unlock(); d.looks++ },
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); drop.Run(ctx) }()
	d.t.Cleanup(func() { cancel(); <-ended })
}

// put brings a pack as a slow copy does: under its own name from the beginning.
func (d *dropped) put(name string, data []byte, age time.Duration) {
	d.t.Helper()
	file := filepath.Join(d.dir, name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(file, then, then); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dropped) hears(want string) {
	d.t.Helper()
	d.until("nobody says "+want, func() bool { return strings.Contains(strings.Join(d.said(), "\n"), want) })
}

func (d *dropped) said() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.texts...)
}

func (d *dropped) until(what string, holds func() bool) {
	d.t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			d.t.Fatalf("%s; said: %q", what, d.said())
		}
	}
}

func (d *dropped) there(name string) bool {
	_, err := os.Stat(filepath.Join(d.dir, name))
	return err == nil
}

func bytesOf(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDroppedPacksAreTaken(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	one, two := bytesOf(t, f.plain(0, first)), bytesOf(t, f.plain(1, second, first))
	d.put("one.syncdpack", one, time.Hour) // before the agent began
	d.run()
	d.hears("one.syncdpack brought revision 1111111111")
	d.put("two.syncdpack", two[:3000], 0) // half a copy
	d.put("two.syncdpack", two, 0)
	d.hears("two.syncdpack brought revision 2222222222")
	d.put("again.syncdpack", two, 0)
	d.hears("again.syncdpack had been unpacked before")
	d.put("late.syncdpack", one, 0)
	d.hears("late.syncdpack is older than what was unpacked")
	for _, name := range []string{"one", "two", "again", "late"} {
		if !d.there("done/"+name+".syncdpack") || !d.there("done/"+name+".syncdpack.receipt.json") {
			t.Errorf("%s was not moved, or has no receipt", name)
		}
	}
	r, err := pack.ReadReceipt(filepath.Join(d.dir, "done", "two.syncdpack.receipt.json"))
	if err != nil || r.Commit != second {
		t.Errorf("the receipt is %+v, %v", r, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.looks != 2 {
		t.Errorf("the agent looked %d times, want 2", d.looks)
	}
}

func TestDroppedPacksThatAreBrokenAreSetAside(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	good := bytesOf(t, f.plain(0, first))
	bad := strings.Replace(string(good), "the history", "that history", 1)
	d.put("bad.syncdpack", []byte(bad), time.Hour)
	d.put("half.syncdpack", good[:len(good)-2000], time.Hour)
	d.put(".hidden.syncdpack", good, time.Hour)
	d.put("other.tar", good, time.Hour)
	d.run()
	d.hears("bad.syncdpack: ")
	d.hears("half.syncdpack: ")
	d.hears("waiting for the rest")
	if !d.there("broken/bad.syncdpack") || !d.there("broken/bad.syncdpack.why") || !d.there("half.syncdpack") || !d.there(".hidden.syncdpack") || !d.there("other.tar") {
		t.Error("files are not where they belong")
	}
	d.host.untouched("broken packs")
	d.put("bad.syncdpack", []byte(bad), time.Hour) // once more under this name
	d.until("it is not kept", func() bool { return d.there("broken/bad.2.syncdpack") })
	d.put("half.syncdpack", good, 0)
	d.hears("half.syncdpack brought revision 1111111111")
}

// A file that is written to all the time keeps no other out.
func TestALongCopyKeepsNobodyOut(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	d.put("zero.syncdpack", bytesOf(t, f.plain(0, first)), time.Hour)
	d.run()
	d.hears("zero.syncdpack brought")
	big, err := os.Create(filepath.Join(d.dir, "big.syncdpack"))
	if err != nil {
		t.Fatal(err)
	}
	defer big.Close()
	d.put("one.syncdpack", bytesOf(t, f.plain(1, second, first)), time.Hour)
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !d.there("done/one.syncdpack") {
		select {
		case <-tick.C:
			if _, err := big.WriteString("x"); err != nil {
				t.Fatal(err)
			}
		case <-deadline:
			t.Fatalf("it is not taken; said: %q", d.said())
		}
	}
}

// looksAt counts how often a pack is looked at, from now on.
func (d *dropped) looksAt(name string) *atomic.Int32 {
	d.t.Helper()
	p, err := pack.Open(filepath.Join(d.dir, name), 1<<20, d.host.Verify)
	if err != nil {
		d.t.Fatal(err)
	}
	defer p.Close()
	verify, n := d.host.Verify, &atomic.Int32{}
	d.host.Verify = func(manifest, signature []byte) (string, error) {
		if digestOf(string(manifest)) == p.ID {
			n.Add(1)
		}
		return verify(manifest, signature)
	}
	return n
}

// disturb has the agent look at the directory some times.
func (d *dropped) disturb(times int) {
	d.t.Helper()
	for i := range times {
		name := fmt.Sprintf("bad%d.syncdpack", i)
		d.put(name, []byte("no pack at all"+strings.Repeat(".", 2000)), time.Hour)
		d.until(name+" was not moved", func() bool { return d.there("broken/" + name) })
	}
}

// What was made for a host that has more waits for the pack that brings the rest,
// and is not read again before one came.
func TestAPackWaitsForTheOneBeforeIt(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	d.put("ahead.syncdpack", bytesOf(t, f.pack(pack.Manifest{Made: morning().Add(time.Hour), To: second, Since: []string{first}, Images: []pack.Image{image("manifest", "base")}}, content{}.layout("manifest"))), time.Hour)
	looks := d.looksAt("ahead.syncdpack")
	d.run()
	d.hears("waiting for the pack that brings it")
	d.disturb(5)
	if n := looks.Load(); n != 1 || !d.there("ahead.syncdpack") {
		t.Errorf("it was looked at %d times", n)
	}
	d.put("one.syncdpack", bytesOf(t, f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("base")}}, content{}.layout("base"))), time.Hour)
	d.hears("ahead.syncdpack brought revision 2222222222")
	if n := looks.Load(); n != 2 {
		t.Errorf("it was looked at %d times", n)
	}
}

// What cannot be taken now is tried again, after pauses that grow.
func TestAPackThatWaitsIsLookedAtMoreAndMoreRarely(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	d.host.images.absent = fault.As(fault.Unreachable, errors.New("the engine does not answer"))
	d.put("one.syncdpack", bytesOf(t, f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest")}}, content{}.layout("manifest"))), time.Hour)
	looks := d.looksAt("one.syncdpack")
	d.run()
	d.hears("tried again later")
	d.disturb(15)
	if n := looks.Load(); n > 8 { // that many take two minutes
		t.Errorf("it was looked at %d times", n)
	}
	d.host.images.mu.Lock()
	d.host.images.absent = nil
	d.host.images.mu.Unlock()
	if err := os.Chmod(filepath.Join(d.dir, "one.syncdpack"), 0o644); err != nil { // whatever happens to it wakes it
		t.Fatal(err)
	}
	d.hears("one.syncdpack brought revision 1111111111")
}

// A pack that is renamed over one that is being looked at is looked at, too, whatever
// became of that one.
func TestAPackThatReplacesAnotherIsTaken(t *testing.T) {
	f := newForge(t)
	other := newForge(t)
	for name, before := range map[string]string{"one that is taken": f.plain(0, first), "one that is refused": other.plain(0, first)} {
		d := watchDrop(t, f)
		next := bytesOf(t, f.plain(1, second, first))
		d.put("next", next, time.Hour)
		d.put("plant.syncdpack", bytesOf(t, before), time.Hour)
		replaced := sync.OnceValue(func() error { return os.Rename(filepath.Join(d.dir, "next"), filepath.Join(d.dir, "plant.syncdpack")) })
		d.host.Verify = func(manifest, signature []byte) (string, error) {
			if err := replaced(); err != nil {
				t.Error(err)
			}
			return f.verify(manifest, signature)
		}
		d.run()
		d.hears("plant.syncdpack brought revision 2222222222")
		r, err := pack.ReadReceipt(filepath.Join(d.dir, "done", "plant.syncdpack.receipt.json"))
		if err != nil || r.Commit != second || d.there("broken/plant.syncdpack") || !bytes.Equal(bytesOf(t, filepath.Join(d.dir, "done", "plant.syncdpack")), next) {
			t.Errorf("%s: the receipt is of %.10s, %v; said: %q", name, r.Commit, err, d.said())
		}
	}
}

// Whatever ends the agent, nothing is moved aside that has no note beside it.
func TestTheNoteComesBeforeThePack(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, dir := range []string{"done", "broken"} {
		place := filepath.Join(d.dir, dir)
		if err := errors.Join(os.Mkdir(place, 0o755), w.Add(place)); err != nil {
			t.Fatal(err)
		}
	}
	d.put("bad.syncdpack", []byte("no pack at all"+strings.Repeat(".", 2000)), time.Hour)
	d.put("one.syncdpack", bytesOf(t, f.plain(0, first)), time.Hour)
	d.run()
	var came []string
	for deadline := time.After(2 * time.Minute); len(came) < 4; {
		select {
		case e := <-w.Events:
			if name := strings.TrimPrefix(e.Name, d.dir); e.Has(fsnotify.Create) && !strings.HasSuffix(name, ".new") {
				came = append(came, name)
			}
		case <-deadline:
			t.Fatalf("there came %q; said: %q", came, d.said())
		}
	}
	if want := []string{"/broken/bad.syncdpack.why", "/broken/bad.syncdpack", "/done/one.syncdpack.receipt.json", "/done/one.syncdpack"}; !slices.Equal(came, want) {
		t.Errorf("there came %q, want %q", came, want)
	}
}

// Whoever may write into the directory decides nothing about files elsewhere.
func TestNoLinkLeadsOutOfTheDirectory(t *testing.T) {
	const users = "root:x:0:0::/root:/bin/sh\n"
	evil := "\nx::0:0:::\n\x1b[2J.syncdpack"
	for name, plant := range map[string]func(d *dropped, elsewhere string) error{
		"the note": func(d *dropped, to string) error {
			return os.Symlink(to+"/users", filepath.Join(d.dir, "broken", evil+".why"))
		},
		"the new note": func(d *dropped, to string) error {
			return os.Symlink(to+"/users", filepath.Join(d.dir, "broken", evil+".why.new"))
		},
		"a hard link": func(d *dropped, to string) error {
			return os.Link(to+"/users", filepath.Join(d.dir, "broken", evil+".why"))
		},
		"a pipe": func(d *dropped, _ string) error {
			return syscall.Mkfifo(filepath.Join(d.dir, "broken", evil+".why"), 0o600)
		},
	} {
		f := newForge(t)
		d, elsewhere := watchDrop(t, f), t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(elsewhere, "users"), []byte(users), 0o600), os.Mkdir(filepath.Join(d.dir, "broken"), 0o755), plant(d, elsewhere)); err != nil {
			t.Fatal(err)
		}
		d.put(evil, []byte("no pack at all"+strings.Repeat(".", 2000)), time.Hour)
		d.run()
		d.hears("no tar archive")
		d.until(name+": it was not moved", func() bool { return d.there("broken/" + evil) })
		d.until(name+": nobody says why", func() bool {
			info, err := os.Lstat(filepath.Join(d.dir, "broken", evil+".why"))
			return err == nil && info.Mode().IsRegular() && info.Size() != int64(len(users))
		})
		if got := string(bytesOf(t, filepath.Join(elsewhere, "users"))); got != users {
			t.Errorf("%s: the file elsewhere holds %q", name, got)
		}
		if why := string(bytesOf(t, filepath.Join(d.dir, "broken", evil+".why"))); strings.Count(why, "\n") != 2 || strings.Contains(why, "\x1b") {
			t.Errorf("%s: the note is %q", name, why)
		}
		if said := strings.Join(d.said(), ""); strings.ContainsAny(said, "\n\x1b") {
			t.Errorf("%s: said: %q", name, said)
		}
	}
}

// Directories for what is moved aside that lead elsewhere are not used.
func TestPacksAreMovedNowhereElse(t *testing.T) {
	f := newForge(t)
	d, elsewhere := watchDrop(t, f), t.TempDir()
	if err := errors.Join(os.Symlink(elsewhere, filepath.Join(d.dir, "done")), os.Symlink(".", filepath.Join(d.dir, "broken"))); err != nil {
		t.Fatal(err)
	}
	d.put("bad.syncdpack", []byte("no pack at all"+strings.Repeat(".", 2000)), time.Hour)
	d.put("one.syncdpack", bytesOf(t, f.plain(0, first)), time.Hour)
	d.run()
	d.hears("one.syncdpack brought revision 1111111111 and 0 images; it stays there: done is no directory")
	d.hears("no tar archive, or a damaged one; it stays there: broken is no directory")
	if all, err := os.ReadDir(elsewhere); err != nil || len(all) > 0 || !d.there("one.syncdpack") || !d.there("bad.syncdpack") || d.there("bad.syncdpack.why") {
		t.Errorf("elsewhere is %v, %v", all, err)
	}
}

// A pack is a file that lies in the directory, whatever else has such a name.
func TestWhatIsNoFileIsRefused(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	good := f.plain(0, first)
	then := time.Now().Add(-time.Hour)
	links := filepath.Join(d.dir, "link.syncdpack")
	pipe := filepath.Join(d.dir, "pipe.syncdpack")
	tree := filepath.Join(d.dir, "tree.syncdpack")
	if err := errors.Join(os.Symlink(good, links), syscall.Mkfifo(pipe, 0o600), os.Mkdir(tree, 0o700), os.Chtimes(pipe, then, then), os.Chtimes(tree, then, then)); err != nil {
		t.Fatal(err)
	}
	ago := unix.NsecToTimeval(then.UnixNano())
	if err := unix.Lutimes(links, []unix.Timeval{ago, ago}); err != nil {
		t.Fatal(err)
	}
	d.run()
	d.hears("link.syncdpack: it is a link, and not the file itself")
	d.hears("pipe.syncdpack: it is no regular file")
	d.hears("tree.syncdpack: it is no regular file")
	for _, name := range []string{"link", "pipe", "tree"} {
		if _, err := os.Lstat(filepath.Join(d.dir, "broken", name+".syncdpack")); err != nil || !d.there("broken/"+name+".syncdpack.why") {
			t.Errorf("%s was not moved: %v", name, err)
		}
	}
	d.host.untouched("no file")
}

// A stick that cannot be written to is read once.
func TestPacksThatCannotBeMovedStay(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	for _, dir := range []string{"done", "broken"} { // in the way of the directories
		if err := os.WriteFile(filepath.Join(d.dir, dir), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.put("bad.syncdpack", []byte("no pack at all"+strings.Repeat(".", 2000)), time.Hour)
	d.put("one.syncdpack", bytesOf(t, f.plain(0, first)), time.Hour)
	d.run()
	d.hears("one.syncdpack brought revision 1111111111 and 0 images; it stays there")
	d.hears("bad.syncdpack: it is no tar archive, or a damaged one; it stays there")
	before := len(d.said())
	d.put("two.syncdpack", bytesOf(t, f.plain(1, second, first)), 0)
	d.hears("two.syncdpack brought")
	if after := len(d.said()); after != before+1 {
		t.Errorf("said: %q", d.said())
	}
}

func TestWhatIsDownIsTriedAgain(t *testing.T) {
	f := newForge(t)
	d := watchDrop(t, f)
	d.host.images.down = fault.As(fault.Unreachable, errors.New("the engine does not answer"))
	d.run()
	d.put("one.syncdpack", bytesOf(t, f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest")}}, content{}.layout("manifest"))), 0)
	d.hears("tried again later: pack one.syncdpack: the engine does not answer")
	if !d.there("one.syncdpack") {
		t.Error("it was moved")
	}
	d.host.images.mu.Lock()
	d.host.images.down = nil
	d.host.images.mu.Unlock()
	d.put("two.syncdpack", bytesOf(t, f.plain(1, second)), 0) // wakes it
	d.hears("one.syncdpack")
	d.until("it was not tried again", func() bool { return d.there("done/one.syncdpack") })
}
