package source_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // Git's own names
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/fetch"
	"syncd.io/syncd/internal/source/tree"
)

// object is one of Git's, as a pack holds it.
type object struct {
	kind byte // 1 is a commit, 2 a tree, 3 a blob
	body []byte
}

func (o object) name() string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", [...]string{"", "commit", "tree", "blob"}[o.kind], len(o.body)), o.body...)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// packOf writes a pack of short objects.
func packOf(t testing.TB, all ...object) []byte {
	t.Helper()
	out := bytes.NewBufferString("PACK\x00\x00\x00\x02")
	if err := binary.Write(out, binary.BigEndian, uint32(len(all))); err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		out.Write([]byte{0x80 | o.kind<<4 | byte(len(o.body)&15), byte(len(o.body) >> 4)})
		z := zlib.NewWriter(out)
		if _, err := z.Write(o.body); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha1.Sum(out.Bytes()) //nolint:gosec // see the import
	return append(out.Bytes(), sum[:]...)
}

// chain makes bundles of one commit each, of which every one builds on the one before,
// and returns what they hold and the last commit.
func chain(t testing.TB, n int) (all [][]byte, last string) {
	t.Helper()
	blob := object{3, []byte("services: {}\n")}
	raw, err := hex.DecodeString(blob.name())
	if err != nil {
		t.Fatal(err)
	}
	tree := object{2, append([]byte("100644 compose.yaml\x00"), raw...)}
	for i := range n {
		text := "tree " + tree.name() + "\n"
		head := "# v2 git bundle\n"
		if last != "" {
			text += "parent " + last + "\n"
			head += "-" + last + " before\n"
		}
		who := fmt.Sprintf("Ann <ann@example.org> %d +0000\n", 1_700_000_000+i)
		commit := object{1, []byte(text + "author " + who + "committer " + who + "\nchange\n")}
		in := []object{commit}
		if last == "" {
			in = append(in, tree, blob)
		}
		last = commit.name()
		all = append(all, append([]byte(head+last+" refs/heads/main\n\n"), packOf(t, in...)...))
	}
	return all, last
}

// More bundles than anybody brings at once, in whatever order they came: all are taken
// in, and the next look reads what is new.
func TestAThousandBundles(t *testing.T) {
	const many = 1100
	in := arrivals(t)
	all, last := chain(t, many+1)
	for i, data := range all[:many] {
		age := many - i
		if i > 500 { // these were copied the other way round
			age = i
		}
		in.put(fmt.Sprintf("%05d.bundle", i), data, time.Duration(age)*time.Minute)
	}
	r := follow(t, in.url())
	load(t, r)
	serves, counts := 0, 0
	for _, s := range r.Bundles() {
		if s.Counts() {
			counts++
		}
		if s.State == source.BundleServes {
			serves++
		}
	}
	if serves != 1 || counts != many {
		t.Errorf("%d of %d bundles serve, and %d count", serves, many, counts)
	}
	in.put("last.bundle", all[many], 0)
	wantHead(t, r, last)
	in.remove("00000.bundle") // what it brought stays
	wantHead(t, r, last)
}

// Small packs are joined, but not under a child that may be reading them.
func TestPacksOfBundlesAreJoinedWhenNobodyReadsThem(t *testing.T) {
	const many = 30
	dir := t.TempDir()
	all, last := chain(t, many)
	req := source.ImportRequest{Store: filepath.Join(dir, "store"), Limits: tree.Limits{File: 1 << 20, Files: 100, Disk: 1 << 30}}
	for i, content := range all {
		req.Files = append(req.Files, filepath.Join(dir, fmt.Sprintf("%02d.bundle", i)))
		if err := os.WriteFile(req.Files[i], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	packs := func(keep bool, files ...string) int {
		t.Helper()
		req := req
		req.Keep, req.Files = keep, files
		if answer, err := fetch.Import(t.Context(), req); err != nil || answer.Damaged != "" || !answer.Bundles[0].Counts() {
			t.Fatalf("%+v, %v", answer, err)
		}
		found, err := filepath.Glob(filepath.Join(req.Store, "objects/pack/*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if n := packs(true, req.Files[:many-1]...); n != many-1 {
		t.Errorf("%d packs of %d bundles while somebody reads", n, many-1)
	}
	if n := packs(false, req.Files[many-1]); n > 2 {
		t.Errorf("%d packs when nobody reads, up to %s", n, last)
	}
}
