package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
)

var amd64 = ocispec.Platform{OS: "linux", Architecture: "amd64"}

func image(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(64<<10, 2)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	return img
}

func idOf(t *testing.T, img v1.Image) string {
	t.Helper()
	id, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

func digestOf(t *testing.T, img interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// layoutOf writes an OCI layout of images by name.
func layoutOf(t *testing.T, path string, images map[string]mutate.Appendable) {
	t.Helper()
	at, err := layout.Write(path, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for ref, img := range images {
		name := layout.WithAnnotations(map[string]string{"io.containerd.image.name": ref})
		switch it := img.(type) {
		case v1.Image:
			err = at.AppendImage(it, name)
		case v1.ImageIndex:
			err = at.AppendIndex(it, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// entries are members of an archive, in order.
type entries []struct {
	name string
	text string
	kind byte
	link string
}

func pack(t testing.TB, files entries) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		kind := f.kind
		if kind == 0 {
			kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: kind, Linkname: f.link, Size: int64(len(f.text)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tarOf packs a directory.
func tarOf(t *testing.T, dir string) []byte {
	t.Helper()
	var files entries
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel := strings.TrimPrefix(path, dir+"/")
		files = append(files, entries{{name: rel, text: string(raw)}}...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, files)
}

func write(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func zip(t *testing.T, raw []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(raw)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// find looks for a name, and reads what it finds whole.
func find(t *testing.T, d *Dir, name, id string) (oci.Image, bool, error) {
	t.Helper()
	ref, err := oci.ParseRef(name)
	if err != nil {
		t.Fatal(err)
	}
	found, from, ok, err := d.Find(t.Context(), ref, id, amd64)
	if err != nil || !ok {
		return found, ok, err
	}
	return found, ok, found.Save(t.Context(), io.Discard, from, oci.Saving{})
}

// saveOf is what `docker save` of an old engine writes: unpacked layers, of which one
// that is there twice is a link.
func saveOf(t *testing.T, img v1.Image, tags ...string) entries {
	t.Helper()
	config, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var out entries
	s := saved{Config: strings.TrimPrefix(oci.DigestOf(config), "sha256:") + ".json", RepoTags: tags}
	seen := map[string]string{}
	for n, l := range layers {
		content, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%d/layer.tar", n)
		if first, double := seen[string(raw)]; double {
			out = append(out, entries{{name: name, kind: tar.TypeSymlink, link: "../" + first}}...)
		} else {
			out, seen[string(raw)] = append(out, entries{{name: name, text: string(raw)}}...), name
		}
		s.Layers = append(s.Layers, name)
	}
	list, err := json.Marshal([]saved{s})
	if err != nil {
		t.Fatal(err)
	}
	return append(out, entries{{name: s.Config, text: string(config)}, {name: dockerFile, text: string(list)}}...)
}

func TestEveryKindOfArchiveIsRead(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	crane, asLayout, asTar, asZip, engine, repo := image(t), image(t), image(t), image(t), image(t), image(t)
	layers, err := engine.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if engine, err = mutate.AppendLayers(engine, layers[0]); err != nil { // twice the same
		t.Fatal(err)
	}
	tag, err := name.NewTag("shop/crane:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(filepath.Join(dir, "crane.tar"), tag, crane); err != nil {
		t.Fatal(err)
	}
	layoutOf(t, filepath.Join(dir, "layout"), map[string]mutate.Appendable{"docker.io/shop/layout:v1": asLayout})
	layoutOf(t, filepath.Join(scratch, "tar"), map[string]mutate.Appendable{"docker.io/shop/tar:v1": asTar})
	write(t, filepath.Join(dir, "oci.tar"), tarOf(t, filepath.Join(scratch, "tar")))
	layoutOf(t, filepath.Join(scratch, "zip"), map[string]mutate.Appendable{"docker.io/shop/zip:v1": asZip})
	write(t, filepath.Join(dir, "oci.tar.gz"), zip(t, tarOf(t, filepath.Join(scratch, "zip"))))
	write(t, filepath.Join(dir, "engine.tar"), pack(t, saveOf(t, engine, "shop/engine:v1")))
	write(t, filepath.Join(dir, "save.tgz"), zip(t, pack(t, saveOf(t, repo, "repo.lan:5000/save:v1"))))
	write(t, filepath.Join(dir, "notes.txt"), []byte("not an archive"))
	write(t, filepath.Join(dir, ".copying.tar"), []byte("not yet an archive"))

	d := New(dir)
	for name, want := range map[string]v1.Image{
		"shop/crane:v1": crane, "shop/layout:v1": asLayout, "shop/tar:v1": asTar, "shop/zip:v1": asZip, "shop/engine:v1": engine, "repo.lan:5000/save:v1": repo,
	} {
		got, ok, err := find(t, d, name, "")
		if err != nil || !ok || got.ID() != idOf(t, want) {
			t.Errorf("%s: %s, %t, %v; want %s", name, got.ID(), ok, err, idOf(t, want))
		}
		if got, ok, err := find(t, d, "else.lan/other:v9", idOf(t, want)); err != nil || !ok || got.ID() != idOf(t, want) {
			t.Errorf("%s by its ID: %s, %t, %v", name, got.ID(), ok, err)
		}
	}
	for name, want := range map[string]v1.Image{"shop/layout": asLayout, "shop/tar": asTar, "shop/zip": asZip} {
		got, ok, err := find(t, d, name+"@"+digestOf(t, want), "")
		if err != nil || !ok || got.Bare || got.Top.Digest.String() != digestOf(t, want) {
			t.Errorf("%s by its digest: %s, %t, %v", name, got.Top.Digest, ok, err)
		}
	}
	for _, name := range []string{"shop/crane:v2", "crane:v1", "ghcr.io/shop/tar:v1", "shop/tar@sha256:" + strings.Repeat("0", 64)} {
		if _, ok, err := find(t, d, name, ""); ok || err != nil {
			t.Errorf("%s, which is not there: %t, %v", name, ok, err)
		}
	}
	if _, ok, _ := find(t, d, "shop/crane:v1", "sha256:"+strings.Repeat("0", 64)); ok {
		t.Error("what had another ID was found by its tag")
	}
}

func TestIndexKeepsItsDigest(t *testing.T) {
	dir := t.TempDir()
	mine, other := image(t), image(t)
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: mine, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: other, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	at := filepath.Join(dir, "layout")
	layoutOf(t, at, map[string]mutate.Appendable{"docker.io/shop/web:v1": index})
	if err := os.Remove(filepath.Join(at, "blobs", "sha256", strings.TrimPrefix(digestOf(t, other), "sha256:"))); err != nil { // left out
		t.Fatal(err)
	}
	got, ok, err := find(t, New(dir), "shop/web:v1", "")
	if err != nil || !ok || got.Top.Digest.String() != digestOf(t, index) || got.ID() != idOf(t, mine) {
		t.Errorf("by its tag: %s, %s, %t, %v", got.Top.Digest, got.ID(), ok, err)
	}
	got, ok, err = find(t, New(dir), "shop/web@"+digestOf(t, mine), "")
	if err != nil || !ok || got.Top.Digest.String() != digestOf(t, mine) {
		t.Errorf("by the manifest's digest: %s, %t, %v", got.Top.Digest, ok, err)
	}
}

// Of two archives with one tag, the newer counts. What has changed is read anew.
func TestNewestArchiveWins(t *testing.T) {
	dir := t.TempDir()
	first, second, third := image(t), image(t), image(t)
	old, fresh := filepath.Join(dir, "z.tar"), filepath.Join(dir, "a.tar")
	write(t, old, pack(t, saveOf(t, first, "shop/web:v1")))
	write(t, fresh, pack(t, saveOf(t, second, "shop/web:v1")))
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	d := New(dir)
	is := func(want v1.Image) {
		t.Helper()
		if got, ok, err := find(t, d, "shop/web:v1", ""); err != nil || !ok || got.ID() != idOf(t, want) {
			t.Errorf("%s, %t, %v", got.ID(), ok, err)
		}
	}
	is(second)
	known := d.known[fresh]
	is(second)
	if d.known[fresh] != known {
		t.Error("what has not changed was read again")
	}
	write(t, old, pack(t, saveOf(t, third, "shop/web:v1")))
	at = time.Now().Add(time.Hour)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	is(third)
}

// An archive that cannot be used is named, is no reason to give a revision up, and is
// in no other one's way.
func TestBrokenArchives(t *testing.T) {
	img := image(t)
	good := saveOf(t, img, "shop/web:v1")
	layers := func(names ...string) string {
		raw, err := json.Marshal([]saved{{Config: good[len(good)-2].name, RepoTags: []string{"shop/web:v1"}, Layers: names}})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	config := entries{good[len(good)-2]}
	with := func(more entries) []byte { return pack(t, append(append(entries{}, config...), more...)) }
	whole := pack(t, good)
	other := append(entries{}, good...)
	other[0].text = strings.Repeat("x", len(other[0].text))
	bomb := pack(t, entries{{name: "zeros", text: strings.Repeat("\x00", 1<<20)}})
	for what, c := range map[string]struct {
		file string
		raw  []byte
		says string
	}{
		"empty":            {"a.tar", nil, "has no images"},
		"no archive":       {"a.tar", []byte(strings.Repeat("hello ", 200)), "invalid tar header"},
		"no gzip":          {"a.tgz", whole, "invalid header"},
		"cut in a layer":   {"a.tar", whole[:len(whole)/2], "cut off"},
		"cut in a header":  {"a.tar", whole[:512+100], "cut off"},
		"cut gzip":         {"a.tar.gz", zip(t, whole)[:1000], "cut off"},
		"no images":        {"a.tar", pack(t, entries{{name: "x", text: "y"}}), "has no images"},
		"bad JSON":         {"a.tar", pack(t, entries{{name: dockerFile, text: "{"}}), "read manifest.json"},
		"leads out":        {"a.tar", with(entries{{name: "../../etc/passwd", text: "x"}}), "leads out"},
		"absolute":         {"a.tar", with(entries{{name: "/etc/passwd", text: "x"}}), "leads out"},
		"link out":         {"a.tar", with(entries{{name: "l", kind: tar.TypeSymlink, link: "../../etc/passwd"}}), "leads out"},
		"absolute link":    {"a.tar", with(entries{{name: "l", kind: tar.TypeSymlink, link: "/etc/passwd"}}), "leads out"},
		"hard link":        {"a.tar", with(entries{{name: "l", kind: tar.TypeLink, link: "x"}}), "of a kind"},
		"device":           {"a.tar", with(entries{{name: "l", kind: tar.TypeChar}}), "of a kind"},
		"double":           {"a.tar", with(config), "two files of one name"},
		"link to a link":   {"a.tar", with(entries{{name: "l", kind: tar.TypeSymlink, link: "m"}, {name: "m", kind: tar.TypeSymlink, link: "l"}, {name: dockerFile, text: layers("l", "m")}}), "not exist"},
		"no layer":         {"a.tar", with(entries{{name: dockerFile, text: layers("gone", "gone")}}), "not exist"},
		"too few layers":   {"a.tar", with(entries{{name: "l", text: "x"}, {name: dockerFile, text: layers("l")}}), "names 2 layers, and its manifest 1"},
		"other config":     {"a.tar", pack(t, append(entries{{name: config[0].name, text: `{"rootfs":{}}`}}, entries{{name: dockerFile, text: layers()}}...)), "does not have its digest"},
		"no configuration": {"a.tar", pack(t, entries{{name: dockerFile, text: layers()}}), "not exist"},
		"bad index":        {"a.tar", pack(t, entries{{name: "index.json", text: `{"manifests":[{"digest":"sha256:../../x","size":1,"annotations":{"io.containerd.image.name":"shop/web:v1"}}]}`}}), "is no digest"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, c.file), c.raw)
		_, ok, err := find(t, New(dir), "shop/web:v1", "")
		if ok || fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.file+": ") || fault.Advice(err) == "" {
			t.Errorf("%s: %t, class %v, hint %q: %v", what, ok, fault.Of(err), fault.Advice(err), err)
		}
		write(t, filepath.Join(dir, "good.tar"), whole)
		if _, ok, err := find(t, New(dir), "shop/web:v1", ""); !ok || err != nil {
			t.Errorf("%s stands in the way of another one: %t, %v", what, ok, err)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.tar"), pack(t, other))
	if _, _, err := find(t, New(dir), "shop/web:v1", ""); !errors.Is(err, oci.ErrOther) {
		t.Errorf("a layer of other content: %v", err)
	}
	p := packed{path: filepath.Join(dir, "bomb.tgz"), limit: 1 << 10}
	write(t, p.path, zip(t, bomb))
	if err := p.walk(func(*tar.Header, io.Reader) error { return nil }); err == nil || !strings.Contains(err.Error(), "unpacks to more than") {
		t.Errorf("a bomb: %v", err)
	}
}

func TestDirectoryThatIsNotThere(t *testing.T) {
	if _, ok, err := find(t, New(filepath.Join(t.TempDir(), "none")), "web", ""); ok || fault.Of(err) != fault.Unreachable || !strings.Contains(fault.Advice(err), "images.archives") {
		t.Errorf("%t, class %v: %v", ok, fault.Of(err), err)
	}
}

// A layout's links are not followed out of it.
func TestLayoutHasNoLinksOut(t *testing.T) {
	dir, img := t.TempDir(), image(t)
	at := filepath.Join(dir, "layout")
	layoutOf(t, at, map[string]mutate.Appendable{"docker.io/shop/web:v1": img})
	blob := filepath.Join(at, "blobs", "sha256", strings.TrimPrefix(idOf(t, img), "sha256:"))
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Rename(blob, outside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, blob); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := find(t, New(dir), "shop/web:v1", ""); ok || err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("%t, %v", ok, err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(pack(f, entries{{name: dockerFile, text: `[{"Config":"c.json","RepoTags":["web:v1"],"Layers":["l"]}]`}, {name: "c.json", text: `{"rootfs":{"diff_ids":["sha256:0"]}}`}, {name: "l", text: "x"}}))
	f.Add(pack(f, entries{{name: "index.json", text: `{"manifests":[{"digest":"sha256:0","size":1}]}`}, {name: "l", kind: tar.TypeSymlink, link: "index.json"}}))
	ref, err := oci.ParseRef("web:v1")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.tar"), raw)
		found, from, ok, err := New(dir).Find(context.WithoutCancel(t.Context()), ref, "", amd64)
		if ok && err == nil {
			_ = found.Save(t.Context(), io.Discard, from, oci.Saving{})
		}
	})
}
