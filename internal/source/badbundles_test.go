package source_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// A file that is being copied is waited for, however far the copy has come.
func TestHalfABundleIsWaitedFor(t *testing.T) {
	g, commits := history(t, 2)
	whole := g.bundle("main")
	in := arrivals(t)
	r := follow(t, in.url())
	for _, part := range []int{0, 5, 40, bytes.Index(whole, []byte("PACK")), bytes.Index(whole, []byte("PACK")) + 15, len(whole) / 2, len(whole) - 1} {
		in.put("main.bundle", whole[:part], time.Hour)
		wantNone(t, r, fault.Unreachable, "main.bundle is incomplete: ")
	}
	in.put("main.bundle", whole, 0)
	wantHead(t, r, commits[1])
}

// Every bundle that is damaged is found out, is named, and keeps no other out.
func TestADamagedBundleIsPassedOver(t *testing.T) {
	g, commits := history(t, 3)
	g.git("branch", "old", commits[0])
	whole := g.bundle("main", "^old")
	pack := bytes.Index(whole, []byte("PACK"))
	damaged := map[string][]byte{
		"no bundle":         []byte("PK\x03\x04 something else"),
		"another trailer":   append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1),
		"more at the end":   append(bytes.Clone(whole), "more"...),
		"more before it":    resealed(append(bytes.Clone(whole[:len(whole)-20]), "more"...), pack),
		"no pack":           append(bytes.Clone(whole[:pack]), bytes.Repeat([]byte("x"), 200)...),
		"2^31 objects":      resealed(put32(whole[:len(whole)-20], pack+8, 1<<31), pack),
		"fewer objects":     resealed(put32(whole[:len(whole)-20], pack+8, 1), pack),
		"another version":   resealed(put32(whole[:len(whole)-20], pack+4, 3), pack),
		"another tip":       bytes.Replace(whole, []byte(commits[2]+" refs"), []byte(strings.Repeat("3", 40)+" refs"), 1),
		"a tree for a head": bytes.Replace(whole, []byte(commits[2]+" refs"), []byte(g.git("rev-parse", commits[2]+"^{tree}")+" refs"), 1),
		"SHA-256":           []byte("# v3 git bundle\n@object-format=sha256\n"),
		"filtered":          []byte("# v3 git bundle\n@filter=blob:none\n"),
	}
	for i := pack + 12; i < len(whole)-20; i += (len(whole) - pack) / 12 {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		damaged[fmt.Sprintf("byte %d", i-pack)] = flipped
		damaged[fmt.Sprintf("byte %d, resealed", i-pack)] = resealed(bytes.Clone(flipped[:len(flipped)-20]), pack)
	}
	in := arrivals(t)
	in.put("a.bundle", g.bundle("old"), time.Hour)
	in.put("b.bundle", g.bundle("main", "^"+commits[1]), time.Hour)
	for name, data := range damaged {
		r := follow(t, in.url(), func(o *source.Options) { o.Ref.Branch = "old" })
		in.put("main.bundle", data, time.Minute)
		wantHead(t, r, commits[0])
		if got := told(t, r); !strings.HasPrefix(got, "main.bundle is broken: ") || !strings.Contains(got, "a.bundle serves") || !strings.Contains(got, "b.bundle waits") {
			t.Errorf("%s: told:\n%s", name, got)
		}
	}
	in.put("main.bundle", whole, 0)
	wantHead(t, follow(t, in.url()), commits[2])
}

// later is an hour from now.
func later(o *source.Options) {
	o.Now = func() time.Time { return time.Now().Add(time.Hour) }
}

// A file that has its full length before it has its bytes is not condemned for it.
func TestAFreshBundleIsJudgedTwice(t *testing.T) {
	g, commits := history(t, 1)
	whole := g.bundle("main")
	in := arrivals(t)
	in.put("main.bundle", append(bytes.Clone(whole[:len(whole)-40]), make([]byte, 40)...), 0)
	now := time.Now()
	r := follow(t, in.url(), func(o *source.Options) { o.Now = func() time.Time { return now } })
	wantNone(t, r, fault.Unreachable, "main.bundle is incomplete: ")
	now = now.Add(time.Minute)
	wantNone(t, r, fault.Unreachable, "main.bundle is broken: ")
	in.put("main.bundle", whole, 0)
	wantHead(t, r, commits[0])
}

func put32(data []byte, at, value int) []byte {
	data = bytes.Clone(data)
	for i := range 4 {
		data[at+i] = byte(value >> (8 * (3 - i)))
	}
	return data
}

// resealed gives a pack the digest that it should end with.
func resealed(data []byte, pack int) []byte {
	digest := sha1.Sum(data[pack:])
	return append(data, digest[:]...)
}

func TestABundleLacksNothing(t *testing.T) {
	g, commits := history(t, 3)
	in := arrivals(t)
	r := follow(t, in.url())
	shallow := &repo{t, t.TempDir()}
	shallow.git("clone", "-q", "--depth", "1", "file://"+g.dir, ".")
	in.put("main.bundle", shallow.bundle("main"), time.Hour)
	wantNone(t, r, fault.Unreachable, "main.bundle is broken: it lacks commit "+commits[1])

	blob := g.git("rev-parse", "main:shop/sub/filea")
	in.put("main.bundle", without(t, g, blob), time.Hour)
	wantNone(t, r, fault.Unreachable, "main.bundle is broken: it lacks blob "+blob)
	in.put("main.bundle", without(t, g, g.git("rev-parse", "main:shop/sub")), time.Hour)
	wantNone(t, r, fault.Unreachable, "main.bundle is broken: it lacks tree ")
}

// without is a bundle of main that lacks an object.
func without(t *testing.T, g *repo, object string) []byte {
	t.Helper()
	var names []string
	for line := range strings.Lines(g.git("rev-list", "--objects", "main")) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name != object {
			names = append(names, name)
		}
	}
	base := filepath.Join(t.TempDir(), "p")
	digest := g.gitIn(strings.Join(names, "\n")+"\n", "pack-objects", "-q", base)
	pack, err := os.ReadFile(base + "-" + digest + ".pack")
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("# v2 git bundle\n"+g.git("rev-parse", "main")+" refs/heads/main\n\n"), pack...)
}

// What is no file is not opened for ever, and what another puts there is no secret
// that is told.
func TestWhatIsNoBundleIsNamed(t *testing.T) {
	g, commits := history(t, 1)
	in := arrivals(t)
	in.put("main.bundle", g.bundle("main"), time.Hour)
	in.put("plain.txt", []byte("no bundle by its name"), 0)
	in.put(".main.bundle", []byte("being copied"), 0)
	if err := syscall.Mkfifo(filepath.Join(in.dir, "pipe.bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(in.dir, "dir.bundle"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop.bundle", filepath.Join(in.dir, "loop.bundle")); err != nil {
		t.Fatal(err)
	}
	in.put("secret.bundle", []byte("password: hunter2\n"), 0)
	r := follow(t, in.url(), later)
	wantHead(t, r, commits[0])
	got := told(t, r)
	for _, want := range []string{"pipe.bundle is broken: it is no regular file", "dir.bundle is broken: it is no regular file", "loop.bundle is broken: ", "secret.bundle is broken: it is no Git bundle", "main.bundle serves"} {
		if !strings.Contains(got, want) {
			t.Errorf("told:\n%s\nwant %q", got, want)
		}
	}
	if strings.Contains(got, "hunter2") || strings.Count(got, "\n") != 4 {
		t.Errorf("told:\n%s", got)
	}
}

// One bundle that ends the child keeps no other out.
func TestABundleThatIsTooMuchIsPassedOver(t *testing.T) {
	g, commits := history(t, 1)
	in := arrivals(t)
	in.put("main.bundle", g.bundle("main"), time.Hour)
	g.git("checkout", "-q", "-b", "bomb")
	g.write("zeros", strings.Repeat("0", 90<<20))
	g.commit("large")
	g.write("zeros", strings.Repeat("0", 90<<20)+"1")
	g.commit("larger")
	in.put("bomb.bundle", g.bundle("bomb"), time.Hour)
	r := follow(t, in.url(), func(o *source.Options) { o.Limits.FetchMemory = 160 << 20 })
	wantHead(t, r, commits[0])
	if got := told(t, r); !strings.Contains(got, "bomb.bundle is broken: ") || !strings.Contains(got, "160 MiB of memory") {
		t.Errorf("told:\n%s", got)
	}
	tight := follow(t, in.url(), func(o *source.Options) { o.Limits.FetchDisk = 1 << 10 })
	wantNone(t, tight, fault.Unreachable, "limits.fetchDisk")
}

// What bundles were taken into is disposable as long as they are there.
func TestADamagedRepositoryOfBundlesIsMadeAnew(t *testing.T) {
	g, commits := history(t, 3)
	in := arrivals(t)
	g.git("branch", "old", commits[1])
	in.put("a.bundle", g.bundle("old"), time.Hour)
	in.put("b.bundle", g.bundle("main", "^old"), time.Minute)
	damages := map[string]func(string, []byte) []byte{
		"empty":   func(string, []byte) []byte { return nil },
		"cut":     func(_ string, data []byte) []byte { return data[:len(data)/2] },
		"zeros":   func(_ string, data []byte) []byte { return make([]byte, len(data)) },
		"flipped": func(_ string, data []byte) []byte { data[len(data)/2] ^= 0xff; return data },
	}
	for name, damage := range damages {
		cache := filepath.Join(t.TempDir(), "cache")
		mine := func(o *source.Options) { o.Dir = cache }
		wantHead(t, follow(t, in.url(), mine), commits[2])
		for _, file := range filesBelow(t, filepath.Join(cache, "bundles")) {
			data, err := os.ReadFile(file)
			if err != nil {
				continue // made anew meanwhile under another name
			}
			if err := os.Chmod(file, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(file, data), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(cache, commits[2])); err != nil {
				t.Fatal(err)
			}
			r := follow(t, in.url(), mine)
			if !heals(t, r, commits[2]) {
				t.Errorf("%s, %s: it does not come back", name, filepath.Base(file))
			}
		}
	}
}

// What a child that is killed leaves behind, at whatever moment, costs nothing that was
// taken in: the file that brought it may be gone.
func TestWhatBundlesBroughtOutlivesAKill(t *testing.T) {
	g, commits := history(t, 3)
	in := arrivals(t)
	cache := filepath.Join(t.TempDir(), "cache")
	mine := func(o *source.Options) { o.Dir = cache }
	packs := func(pattern string) []string {
		t.Helper()
		all, err := filepath.Glob(filepath.Join(cache, "bundles", "*", "objects", "pack", pattern))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	g.git("branch", "one", commits[0])
	in.put("a.bundle", g.bundle("one"), time.Hour)
	wantHead(t, follow(t, in.url(), mine, func(o *source.Options) { o.Ref.Branch = "one" }), commits[0])
	first := packs("*.idx")
	in.remove("a.bundle")
	in.put("b.bundle", g.bundle("main", "^one"), time.Minute)
	wantHead(t, follow(t, in.url(), mine), commits[2])
	both := packs("*.idx")
	if len(first) != 1 || len(both) != 2 {
		t.Fatalf("the packs: %q, then %q", first, both)
	}
	for _, index := range both {
		data, err := os.ReadFile(index)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(index)
		for _, name := range []string{"tmp_pack_1", "tmp_pack_1.idx", "pack-" + strings.Repeat("1", 40) + ".idx"} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Remove(index), os.RemoveAll(filepath.Join(cache, commits[2]))); err != nil {
			t.Fatal(err)
		}
		if !heals(t, follow(t, in.url(), mine), commits[2]) {
			t.Fatalf("without %s it does not come back", filepath.Base(index))
		}
		if left := packs("*"); len(left) != 4 || len(packs("pack-*.pack")) != 2 {
			t.Errorf("left is %q", left)
		}
	}
}

// heals tells whether the commit is loaded within a few polls.
func heals(t *testing.T, r *source.Repository, want string) bool {
	t.Helper()
	for range 3 {
		commit, err := r.Resolve(t.Context())
		if err == nil && commit == want {
			if _, err = r.Load(t.Context(), commit); err == nil {
				return true
			}
		}
		t.Logf("%s: %v", commit, err)
	}
	return false
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%v, %v", out, err)
	}
	return out
}
