package pack_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

func TestAPackBringsImagesAndHistory(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	file := f.pack(pack.Manifest{Made: morning(), To: first, Ref: "refs/heads/main", Images: []pack.Image{image("manifest", "base", "app")}},
		content{pack.BundleName: "the history up to " + first}.layout("manifest", "base", "app"))
	taken := h.take(file)
	r := taken.Receipt
	if taken.Outcome != pack.Unpacked || r.Commit != first || r.Signer != "ann" || r.Host != "berlin-1" || len(r.Blobs) != 3 || taken.Images != 1 {
		t.Errorf("taken: %+v", taken)
	}
	if got := h.bundles(); !slices.Equal(got, []string{first}) {
		t.Errorf("bundles: %v", got)
	}
	if len(h.images.loaded) != 1 {
		t.Errorf("loaded: %v", h.images.loaded)
	}
	if again := h.take(file); again.Outcome != pack.Known || again.Receipt.Pack != r.Pack || len(h.images.loaded) != 1 {
		t.Errorf("the second time: %+v", again)
	}

	// the next one leaves out what the receipt names
	rest := f.pack(pack.Manifest{Made: morning().Add(time.Hour), To: second, Since: []string{first}, Images: []pack.Image{image("manifest 2", "base", "app 2")}},
		content{pack.BundleName: "the history up to " + second}.layout("manifest 2", "app 2"))
	if taken = h.take(rest); taken.Outcome != pack.Unpacked || len(taken.Receipt.Blobs) != 5 || !taken.Receipt.Has("sha256:"+digestOf("base")) {
		t.Errorf("the difference: %+v", taken)
	}
	if got := h.bundles(); !slices.Equal(got, []string{first, second}) {
		t.Errorf("bundles: %v", got)
	}
}

// One pack that was lost on disk is brought again by the same file.
func TestWhatWasLostIsTakenAgain(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	file := f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest")}}, content{pack.BundleName: "the history up to " + first}.layout("manifest"))
	h.take(file)
	if err := os.RemoveAll(pack.BundlesDir(h.Dir)); err != nil {
		t.Fatal(err)
	}
	if taken := h.take(file); taken.Outcome != pack.Unpacked || len(h.bundles()) != 1 {
		t.Errorf("without its bundle: %+v", taken)
	}
	clear(h.images.blobs)
	if taken := h.take(file); taken.Outcome != pack.Unpacked || len(h.images.blobs) != 1 {
		t.Errorf("without its images: %+v", taken)
	}
	receipt := filepath.Join(h.Dir, "receipts", "latest.json")
	if err := os.WriteFile(receipt, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if taken := h.take(file); taken.Outcome != pack.Known {
		t.Errorf("with a damaged receipt: %+v", taken)
	}
}

// A pack is refused that leaves out what this host does not have.
func TestADifferenceForAnotherHostIsRefused(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	file := f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest", "base")}}, content{pack.BundleName: "x"}.layout("manifest"))
	_, err := h.Take(t.Context(), file)
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), digestOf("base")) || !strings.Contains(fault.Advice(err), "--receipt") {
		t.Errorf("%v (%v), hint %q", err, fault.Of(err), fault.Advice(err))
	}
	h.untouched("a difference")
}

// A pack may be large: what its manifest says is enough to know that it has to wait.
func TestAPackThatHasToWaitIsNotRead(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	damaged := func(m pack.Manifest, c content) string { // whoever reads it all finds out
		data, err := os.ReadFile(f.pack(m, c))
		if err != nil {
			t.Fatal(err)
		}
		return save(t, bytes.Replace(data, []byte("the history"), []byte("tha history"), 1))
	}
	history := content{pack.BundleName: "the history up to " + first}
	ahead := damaged(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest", "base")}}, maps.Clone(history).layout("manifest"))
	if _, err := h.Take(t.Context(), ahead); err == nil || !strings.Contains(err.Error(), digestOf("base")) {
		t.Errorf("one that leaves out what is not here: %v", err)
	}
	whole := damaged(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest")}}, history.layout("manifest"))
	h.images.absent = fault.As(fault.Unreachable, errors.New("the engine does not answer"))
	if _, err := h.Take(t.Context(), whole); fault.Of(err) != fault.Unreachable {
		t.Errorf("without an engine: %v", err)
	}
	h.images.absent = nil
	if _, err := h.Take(t.Context(), whole); fault.Of(err) != fault.Rejected || strings.Contains(err.Error(), "leaves out") {
		t.Errorf("with an engine: %v", err)
	}
	h.untouched("damage")
}

// Nothing goes back in time: of an older pack only the history is taken, where it may
// fill a gap.
func TestAnOlderPackIsStale(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	all, gap, late := f.plain(0, first), f.plain(1, second, first), f.plain(2, third, second)
	h.take(late)
	for _, file := range []string{gap, all} {
		if taken := h.take(file); taken.Outcome != pack.Stale || taken.Receipt.Commit != third {
			t.Errorf("taken: %+v", taken)
		}
	}
	if got := h.bundles(); !slices.Equal(got, []string{first, second, third}) {
		t.Errorf("bundles: %v", got)
	}
	h.take(f.plain(3, third)) // all history: the others are needed no more
	if got := h.bundles(); !slices.Equal(got, []string{third}) {
		t.Errorf("bundles: %v", got)
	}
	if h.take(gap); len(h.bundles()) != 1 {
		t.Errorf("bundles: %v", h.bundles())
	}
}

// Whatever moment ends it, the next try goes on.
func TestUnpackingGoesOnWhereItEnded(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	file := f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest")}}, content{pack.BundleName: "the history up to " + first}.layout("manifest"))
	h.images.down = fault.As(fault.Unreachable, errors.New("the engine does not answer"))
	if _, err := h.Take(t.Context(), file); fault.Of(err) != fault.Unreachable {
		t.Errorf("%v", err)
	}
	h.untouched("an engine that is down")
	h.images.down = nil
	for _, left := range []string{"incoming-1/oci", "bundles"} {
		if err := os.MkdirAll(filepath.Join(h.Dir, left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(h.Dir, "bundles", ".1111111111-x.bundle"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if taken := h.take(file); taken.Outcome != pack.Unpacked || len(h.bundles()) != 1 {
		t.Errorf("taken: %+v, %v", taken, h.bundles())
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "incoming-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestOneUnpacksAtATime(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	h.take(f.plain(0, first))
	lock, err := os.Open(filepath.Join(h.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Take(t.Context(), f.plain(1, second)); fault.Of(err) != fault.Blocked {
		t.Errorf("%v (%v)", err, fault.Of(err))
	}
}

// Every byte of a pack counts, and however little of one has come, it is told from a
// broken one.
func TestDamagedPacksAreRefused(t *testing.T) {
	f := newForge(t)
	whole, err := os.ReadFile(f.pack(pack.Manifest{Made: morning(), To: first, Images: []pack.Image{image("manifest", "layer")}}, content{pack.BundleName: strings.Repeat("history", 500)}.layout("manifest", "layer")))
	if err != nil {
		t.Fatal(err)
	}
	for cut := 0; cut < len(whole); cut += 256 {
		_, err := newHost(t, f).Take(t.Context(), save(t, whole[:cut]))
		if !errors.Is(err, pack.ErrIncomplete) && !(err != nil && cut%512 != 0) {
			t.Errorf("cut at %d of %d: %v", cut, len(whole), err)
		}
	}
	for at := 0; at < len(whole)-1024; at += 97 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1
		if _, err := newHost(t, f).Take(t.Context(), save(t, flipped)); err == nil && !padding(whole, at) {
			t.Errorf("byte %d was changed and nobody noticed", at)
		}
	}
	h2 := newHost(t, f)
	if _, err := h2.Take(t.Context(), save(t, append(bytes.Clone(whole), make([]byte, 512)...))); err == nil {
		t.Error("something behind the end was taken")
	}
	h2.untouched("damage")
}

// padding tells whether a byte belongs to no member and no header.
func padding(data []byte, at int) bool {
	block := data[at/512*512 : at/512*512+512]
	return data[at] == 0 && at%512 >= len(bytes.TrimRight(block, "\x00"))
}

// What an attacker writes who can have nothing signed, and what one writes who can.
func TestEvilPacksAreRefused(t *testing.T) {
	f := newForge(t)
	good := entries(t, f.plain(0, first))
	plain := func(name, body string) entry {
		return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body}
	}
	link := func(kind byte, name, to string) entry {
		return entry{tar.Header{Typeflag: kind, Name: name, Linkname: to, Mode: 0o644}, ""}
	}
	signed := func(change func(string) string) []entry { // by somebody who has the key
		manifest := change(good[0].body)
		signature, err := f.sign([]byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		return append([]entry{plain("manifest.json", manifest), plain("manifest.json.sig", string(signature))}, good[2:]...)
	}
	replaced := func(from, to string) []entry {
		return signed(func(text string) string {
			if !strings.Contains(text, from) {
				t.Fatalf("%s lacks %s", text, from)
			}
			return strings.Replace(text, from, to, 1)
		})
	}
	other := newForge(t)
	foreign, err := other.sign([]byte(good[0].body))
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]entry{
		"nothing":              {},
		"no manifest":          good[1:],
		"not signed":           append(slices.Clone(good[:1]), good[2:]...),
		"signed by another":    {good[0], plain("manifest.json.sig", string(foreign)), good[2]},
		"no signature":         {good[0], plain("manifest.json.sig", "-----BEGIN SSH SIGNATURE-----"), good[2]},
		"a large signature":    {good[0], plain("manifest.json.sig", strings.Repeat("x", 1<<17)), good[2]},
		"another manifest":     {plain("manifest.json", strings.Replace(good[0].body, first, second, 1)), good[1], good[2]},
		"a member more":        insert(good, 3, plain("oci/index.json", "{}")),
		"a member less":        good[:2],
		"a member twice":       insert(good, 3, good[2]),
		"another order":        {good[2], good[0], good[1]},
		"another name":         {good[0], good[1], plain("../../etc/cron.d/x", good[2].body)},
		"an absolute name":     {good[0], good[1], plain("/etc/passwd", good[2].body)},
		"other bytes":          {good[0], good[1], plain("repo.bundle", strings.Replace(good[2].body, "history", "hystory", 1))},
		"more bytes":           {good[0], good[1], plain("repo.bundle", good[2].body+"more")},
		"a symlink":            {good[0], good[1], link(tar.TypeSymlink, "repo.bundle", "/etc/passwd")},
		"a hard link":          {good[0], good[1], link(tar.TypeLink, "repo.bundle", "manifest.json")},
		"a device":             {good[0], good[1], link(tar.TypeChar, "repo.bundle", "")},
		"a pipe":               {good[0], good[1], link(tar.TypeFifo, "repo.bundle", "")},
		"a directory":          insert(good, 2, link(tar.TypeDir, "oci/", "")),
		"signed: no JSON":      signed(func(string) string { return "{" }),
		"signed: two values":   signed(func(text string) string { return text + text }),
		"signed: version 3":    replaced(`"version": 2`, `"version": 3`),
		"signed: unknown key":  replaced(`"version": 2`, `"version": 2, "run": "rm -rf /"`),
		"signed: a name":       replaced(`"repo.bundle"`, `"../repo.bundle"`),
		"signed: a blob":       replaced(`"repo.bundle"`, `"oci/blobs/sha256/../../../x"`),
		"signed: another blob": replaced(`"repo.bundle"`, `"oci/blobs/sha256/`+digestOf("x")+`"`),
		"signed: no revision":  replaced(`"to": "`+first, `"to": "main`),
		"signed: no time":      replaced(`"made": "2026-01-31T08:00:00Z"`, `"made": "0001-01-01T00:00:00Z"`),
		"signed: a size":       replaced(fmt.Sprintf(`"size": %d`, len(good[2].body)), `"size": -1`),
		"signed: huge":         replaced(fmt.Sprintf(`"size": %d`, len(good[2].body)), `"size": 9223372036854775807`),
		"signed: a digest":     replaced(digestOf(good[2].body), digestOf("x")),
	} {
		h := newHost(t, f)
		_, err := h.Take(t.Context(), save(t, archive(t, all)))
		if fault.Of(err) != fault.Rejected || strings.ContainsAny(err.Error(), "\x1b\x00") {
			t.Errorf("%s: %v (%v)", name, err, fault.Of(err))
		}
		h.untouched(name)
	}
}

// Sparse files, and extended headers that could mean anything, are what tar programs
// disagree about.
func TestTarsOfOtherProgramsAreRefused(t *testing.T) {
	f := newForge(t)
	dir := t.TempDir()
	for _, e := range entries(t, f.plain(0, first)) {
		if err := os.WriteFile(filepath.Join(dir, e.header.Name), []byte(e.body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "repo.bundle"), 1<<20); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"sparse": {"--sparse", "--format=gnu"}, "sparse, extended": {"--sparse", "--format=posix"}, "extended": {"--format=posix", "--pax-option=comment=x"}} {
		out := filepath.Join(t.TempDir(), "x"+pack.Suffix)
		all := slices.Concat([]string{"-C", dir, "-cf", out}, args, []string{"manifest.json", "manifest.json.sig", "repo.bundle"})
		if text, err := exec.Command("tar", all...).CombinedOutput(); err != nil {
			t.Fatalf("tar: %v\n%s", err, text)
		}
		h := newHost(t, f)
		h.Limit = 2 << 30
		_, err := h.Take(t.Context(), out)
		if fault.Of(err) != fault.Rejected || errors.Is(err, pack.ErrIncomplete) {
			t.Errorf("%s: %v (%v)", name, err, fault.Of(err))
		}
		h.untouched(name)
	}
}

func TestALargePackIsRefused(t *testing.T) {
	f := newForge(t)
	h := newHost(t, f)
	h.Limit = 1000
	if _, err := h.Take(t.Context(), f.plain(0, first)); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "packs.size") {
		t.Errorf("%v, hint %q", err, fault.Advice(err))
	}
	pipe := filepath.Join(t.TempDir(), "pipe"+pack.Suffix)
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Take(t.Context(), pipe); fault.Of(err) != fault.Rejected {
		t.Errorf("%v", err)
	}
}

// What was checked is what is used, whatever is put under the pack's name meanwhile.
func TestAPackThatIsSwappedIsNotUsed(t *testing.T) {
	f := newForge(t)
	file := f.plain(0, first)
	p, err := pack.Open(file, 1<<20, f.verify)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.plain(1, second), file); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := p.Copy(t.Context(), &out, pack.BundleName); err != nil || !strings.HasSuffix(out.String(), first) {
		t.Errorf("%q, %v", out.String(), err)
	}
	written, err := pack.Open(file, 1<<20, f.verify)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("the history up to "))
	data[at] = 'T'
	if err := os.WriteFile(file, data, 0o600); err != nil { // into the same file
		t.Fatal(err)
	}
	if err := written.Copy(t.Context(), &out, pack.BundleName); fault.Of(err) != fault.Rejected {
		t.Errorf("what was changed after it was checked: %v", err)
	}
}

func TestReceiptsAreBelievedInWhatTheySayOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	good := pack.Receipt{Version: 1, Commit: first, Blobs: []string{"sha256:" + digestOf("a")}}
	if err := good.Save(file); err != nil {
		t.Fatal(err)
	}
	if r, err := pack.ReadReceipt(file); err != nil || !r.Has("sha256:"+digestOf("a")) || r.Has("sha256:"+digestOf("b")) {
		t.Errorf("%+v, %v", r, err)
	}
	for text, want := range map[string]string{
		"": "no receipt", "[]": "no receipt", `{"version":1,"x":1}`: "no receipt", `{"version":3,"commit":"` + first + `"}`: "version 3",
		`{"version":1,"commit":"--upload-pack=x"}`: "no revision", `{"version":1,"commit":"` + first + `","blobs":["../x"]}`: "something else",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := pack.ReadReceipt(file); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeysAreNotQuoted(t *testing.T) {
	f := newForge(t)
	bad := bytes.Replace(f.key, []byte("\n"), []byte("\nXX"), 2)
	for _, key := range [][]byte{nil, []byte("secret"), bad} {
		_, err := pack.SignWith(key, nil)
		if fault.Of(err) != fault.Blocked || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}
