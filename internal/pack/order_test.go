package pack_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

const fourth = "4444444444444444444444444444444444444444"

// year is how far the clock of one who packs is ahead.
const year = 365 * 24 * time.Hour

// made is a pack that somebody made at some time, whatever clock they had.
func (f forge) made(ahead time.Duration, m pack.Manifest) string {
	f.t.Helper()
	m.Made = morning().Add(ahead)
	return f.pack(m, content{pack.BundleName: "the history up to " + m.To})
}

// takes sees what becomes of a pack, and which revision is there then.
func (h host) takes(what, file string, outcome pack.Outcome, to string) pack.Taken {
	h.t.Helper()
	taken := h.take(file)
	if taken.Outcome != outcome || taken.Receipt.Commit != to || (taken.Why == "") != (outcome != pack.Stale) {
		h.t.Errorf("%s: %s, revision %.4s is there (%s), want %s, %.4s", what, taken.Outcome, taken.Receipt.Commit, taken.Why, outcome, to)
	}
	return taken
}

// What a pack was made with, and what its revision leads on from, orders it.
func TestAClockThatWasAheadShutsNothingOut(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	ahead := f.made(year, pack.Manifest{To: first, Commits: []string{first}})
	h.takes("by a clock that was ahead", ahead, pack.Unpacked, first)
	next := f.made(time.Hour, pack.Manifest{To: second, Since: []string{first}, Commits: []string{second}})
	h.takes("what builds on it", next, pack.Unpacked, second)
	h.takes("all history", f.made(2*time.Hour, pack.Manifest{To: fourth, Commits: []string{fourth, third, second, first}}), pack.Unpacked, fourth)
	if got := h.bundles(); !slices.Equal(got, []string{fourth}) {
		t.Errorf("bundles: %v", got)
	}
	h.takes("the first again", ahead, pack.Stale, fourth)
	h.takes("the next again", next, pack.Stale, fourth)
}

// A pack that never came here is as old as what it carries.
func TestAnOldPackIsOldByWhateverClock(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	h.takes("all", f.made(0, pack.Manifest{To: third, Commits: []string{third, second, first}}), pack.Unpacked, third)
	for name, m := range map[string]pack.Manifest{
		"all history up to before":   {To: second, Commits: []string{second, first}},
		"what had been a difference": {To: second, Since: []string{first}, Commits: []string{second}},
	} {
		if taken := h.takes(name, f.made(year, m), pack.Stale, third); !strings.Contains(taken.Why, "2222222222 is part of the history") {
			t.Errorf("%s: %s", name, taken.Why)
		}
	}
	h.takes("a difference", f.made(-year, pack.Manifest{To: fourth, Since: []string{third}, Commits: []string{fourth}}), pack.Unpacked, fourth)
	h.takes("before the first", f.made(year, pack.Manifest{To: first, Commits: []string{first}}), pack.Stale, fourth)
}

// Whoever knew of the last pack made theirs later, wherever it leads.
func TestAPackMadeWithTheReceiptComesAfterIt(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	r := h.takes("by a clock that was ahead", f.made(year, pack.Manifest{To: second, Commits: []string{second, first}}), pack.Unpacked, second).Receipt
	back := f.made(0, pack.Manifest{To: first, Commits: []string{first}, After: r.Pack})
	h.takes("back on purpose", back, pack.Unpacked, first)
	aside := f.made(0, pack.Manifest{To: third, Commits: []string{third}, After: r.Pack})
	h.takes("made with a receipt before", aside, pack.Unpacked, third) // neither leads to the other, and both have one time
	h.takes("once more", back, pack.Stale, third)
}

// Where nothing else is known, the time of making decides, and it is said what helps.
func TestUnrelatedPacksGoByTheirTime(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	h.takes("one", f.made(time.Hour, pack.Manifest{To: first, Commits: []string{first}}), pack.Unpacked, first)
	if taken := h.takes("before", f.made(0, pack.Manifest{To: second, Commits: []string{second}}), pack.Stale, first); !strings.Contains(taken.Why, "--receipt") {
		t.Errorf("it says %q", taken.Why)
	}
	h.takes("after", f.made(2*time.Hour, pack.Manifest{To: second, Commits: []string{second}}), pack.Unpacked, second)
	h.takes("one that its maker did not say enough of", f.plain(3, third), pack.Unpacked, third)
}

// What names of images mean does not go back either.
func TestPacksOfOneRevision(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	with := func(ahead time.Duration, parts ...string) string {
		return f.pack(pack.Manifest{Made: morning().Add(ahead), To: first, Commits: []string{first}, Images: []pack.Image{image(parts...)}},
			content{pack.BundleName: "the history up to " + first}.layout(parts...))
	}
	h.takes("by a clock that was ahead", with(year, "manifest", "layer"), pack.Unpacked, first)
	clear(h.images.blobs)
	h.takes("what was lost, packed anew", with(0, "manifest", "layer"), pack.Unpacked, first)
	h.takes("later, other images", with(time.Hour, "manifest 2", "layer"), pack.Unpacked, first)
	h.takes("earlier, other images", with(-time.Hour, "manifest 3", "layer"), pack.Stale, first)
}

// Where histories went apart, the bundle of the pack that came last counts.
func TestTheLastBundleIsTheNewestFile(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	r := h.take(f.made(year, pack.Manifest{To: second, Since: []string{first}, Commits: []string{second}})).Receipt
	h.take(f.made(0, pack.Manifest{To: third, Since: []string{second}, Commits: []string{third}, After: r.Pack}))
	h.takes("in between", f.made(0, pack.Manifest{To: first, Commits: []string{first}}), pack.Stale, third)
	at := map[string]time.Time{}
	all, err := filepath.Glob(filepath.Join(pack.BundlesDir(h.Dir), "*.bundle"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		at[filepath.Base(file)[:10]] = info.ModTime()
	}
	if a, b, c := at[first[:10]], at[second[:10]], at[third[:10]]; a.IsZero() || !a.Before(b) || !b.Before(c) {
		t.Errorf("the bundles are of %v", at)
	}
}

// A host that lost what it knew of the order still has its receipts.
func TestTheOrderIsFoundAgain(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	one := f.made(year, pack.Manifest{To: first, Commits: []string{first}})
	h.take(one)
	h.take(f.made(0, pack.Manifest{To: second, Since: []string{first}, Commits: []string{second}}))
	for name, text := range map[string]string{"order.json": "{", "latest.json": "{"} {
		if err := os.WriteFile(filepath.Join(h.Dir, "receipts", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.takes("the first again", one, pack.Stale, second)
	h.takes("the next", f.made(0, pack.Manifest{To: third, Since: []string{second}, Commits: []string{third}}), pack.Unpacked, third)
	h.takes("one before", f.made(year, pack.Manifest{To: second, Commits: []string{second, first}}), pack.Stale, third)
}

// No pack is to blame for a note of this host that its disk does not give.
func TestAPackIsNotToBlameForANoteThatCannotBeRead(t *testing.T) {
	for _, name := range []string{"latest.json", "order.json"} {
		f := newForge(t)
		h := newHost(t, f)
		h.take(f.made(0, pack.Manifest{To: first, Commits: []string{first}}))
		next := f.made(0, pack.Manifest{To: second, Since: []string{first}, Commits: []string{second}})
		note := filepath.Join(h.Dir, "receipts", name)
		if err := errors.Join(os.Remove(note), os.Mkdir(note, 0o700)); err != nil { // a directory cannot be read as a file
			t.Fatal(err)
		}
		if _, err := h.Take(t.Context(), next); fault.Of(err) != fault.Unreachable || !strings.Contains(fault.Advice(err), note) {
			t.Errorf("%s: %v (%v), hint %q", name, err, fault.Of(err), fault.Advice(err))
		}
	}
}

// A receipt that is damaged, with no other beside it, is none.
func TestAHostBeginsAnewWithoutItsReceipts(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	receipts := filepath.Join(h.Dir, "receipts")
	if err := errors.Join(os.MkdirAll(receipts, 0o700), os.WriteFile(filepath.Join(receipts, "latest.json"), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	h.takes("the first", f.made(0, pack.Manifest{To: first, Commits: []string{first}}), pack.Unpacked, first)
	if last, err := h.Latest(); err != nil || last.Commit != first {
		t.Errorf("the receipt did not heal: %+v, %v", last, err)
	}
}

// What goes wrong in the midst of it changes no order.
func TestAPackThatFailedIsNotTaken(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	h.images.down = fault.As(fault.Unreachable, errors.New("the engine does not answer"))
	file := f.pack(pack.Manifest{Made: morning(), To: first, Commits: []string{first}, Images: []pack.Image{image("manifest")}}, content{pack.BundleName: "x"}.layout("manifest"))
	if _, err := h.Take(t.Context(), file); err == nil {
		t.Fatal("it was taken")
	}
	h.images.down = nil
	h.takes("the same again", file, pack.Unpacked, first)
	h.takes("and again", file, pack.Known, first)
}

// Whichever of its notes the disk does not take, the pack is unpacked the next time,
// and what comes after it is held against it.
func TestAPackWhoseNotesWereCutShortIsTakenAgain(t *testing.T) {
	for _, note := range []string{"order.json", "latest.json", "00000002-*.json"} {
		f := newForge(t)
		h := newHost(t, f)
		h.take(f.made(0, pack.Manifest{To: first, Commits: []string{first}}))
		next := f.made(-time.Hour, pack.Manifest{To: fourth, Since: []string{first}, Commits: []string{fourth, third, second}})
		free := h.blocked(strings.Replace(note, "*", f.idOf(next)[:20], 1))
		if _, err := h.Take(t.Context(), next); fault.Of(err) != fault.Unreachable {
			t.Fatalf("%s cannot be written, and the error is %v", note, err)
		}
		free()
		again := h.take(next)
		if last, err := h.Latest(); err != nil || again.Outcome == pack.Stale || last.Commit != fourth {
			t.Errorf("without %s: %s, %q, the last is %.4s, %v", note, again.Outcome, again.Why, last.Commit, err)
		}
		h.takes("one before it", f.made(year, pack.Manifest{To: second, Commits: []string{second, first}}), pack.Stale, fourth)
		h.takes("one after it", f.made(0, pack.Manifest{To: first, Commits: []string{first}, After: again.Receipt.Pack}), pack.Unpacked, first)
		h.takes("it again", next, pack.Stale, first)
	}
}

// blocked keeps a note of the next pack from being written, until free is called.
func (h host) blocked(note string) (free func()) {
	file := filepath.Join(h.Dir, "receipts", note)
	must := func(err error) {
		h.t.Helper()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			h.t.Fatal(err)
		}
	}
	h.images.asked = func() {
		must(os.Rename(file, file+".aside"))
		must(os.Mkdir(file, 0o700))
	}
	return func() {
		h.images.asked = nil
		must(os.Remove(file))
		must(os.Rename(file+".aside", file))
	}
}

// idOf is the name of a pack.
func (f forge) idOf(file string) string {
	f.t.Helper()
	p, err := pack.Open(file, 1<<20, f.verify)
	if err != nil {
		f.t.Fatal(err)
	}
	defer p.Close()
	return p.ID
}
