package pack_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

const (
	first  = "1111111111111111111111111111111111111111"
	second = "2222222222222222222222222222222222222222"
	third  = "3333333333333333333333333333333333333333"
)

// morning is when the first pack was made.
func morning() time.Time { return time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC) }

// forge makes packs.
type forge struct {
	t    *testing.T
	key  []byte
	sign pack.Sign
	// verify accepts what this forge signs.
	verify pack.Verify
}

func newForge(t *testing.T) forge {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	f := forge{t: t, key: pem.EncodeToMemory(block)}
	if f.sign, err = pack.SignWith(f.key, nil); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	f.verify = func(manifest, signature []byte) (string, error) {
		if signature == nil {
			return "", fault.As(fault.Rejected, errors.New("it is not signed"))
		}
		s, err := sshsig.Unarmor(signature)
		if err == nil {
			err = sshsig.Verify(bytes.NewReader(manifest), s, signer.PublicKey(), s.HashAlgorithm, pack.Namespace)
		}
		return "ann", fault.As(fault.Rejected, err)
	}
	return f
}

// content is what a pack holds, name -> bytes.
type content map[string]string

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// layout adds an image whose parts are these texts; what is left out is not packed.
func (c content) layout(parts ...string) content {
	c["oci/oci-layout"], c["oci/index.json"] = `{"imageLayoutVersion":"1.0.0"}`, `{}`
	for _, part := range parts {
		c["oci/blobs/sha256/"+digestOf(part)] = part
	}
	return c
}

func image(parts ...string) pack.Image {
	i := pack.Image{Name: "shop/web:1", Digest: "sha256:" + digestOf(parts[0])}
	for _, part := range parts {
		i.Blobs = append(i.Blobs, "sha256:"+digestOf(part))
	}
	return i
}

// pack writes one and returns its path.
func (f forge) pack(m pack.Manifest, c content) string {
	f.t.Helper()
	dir := f.t.TempDir()
	for name, text := range c {
		file := filepath.Join(dir, "in", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "it"+pack.Suffix)
	if _, err := pack.Write(f.t.Context(), out, m, filepath.Join(dir, "in"), f.sign); err != nil {
		f.t.Fatal(err)
	}
	return out
}

// plain is a pack with history alone.
func (f forge) plain(hours int, to string, since ...string) string {
	f.t.Helper()
	return f.pack(pack.Manifest{Made: morning().Add(time.Duration(hours) * time.Hour), To: to, Since: since}, content{pack.BundleName: "the history up to " + to})
}

// shelf takes images in memory.
type shelf struct {
	mu     sync.Mutex
	blobs  map[string]bool
	loaded []string
	down   error
	// absent is what it says before it is given something; nil is that it is there.
	absent error
	// asked is called before it says what it holds; nil is nothing.
	asked func()
}

func (s *shelf) Ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.absent
}

func (s *shelf) Load(_ context.Context, dir string, images []pack.Image) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return s.down
	}
	if s.blobs == nil {
		s.blobs = map[string]bool{}
	}
	for _, i := range images {
		for _, digest := range i.Blobs {
			if _, err := os.Stat(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))); err == nil {
				s.blobs[digest] = true
			} else if !s.blobs[digest] {
				return err
			}
		}
		s.loaded = append(s.loaded, i.Name+"@"+i.Digest)
	}
	return nil
}

func (s *shelf) Held(context.Context) ([]string, error) {
	if s.asked != nil {
		s.asked()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for digest := range s.blobs {
		out = append(out, digest)
	}
	return out, nil
}

// host is the side that packs are brought to.
type host struct {
	*pack.Inbox
	t      *testing.T
	images *shelf
}

func newHost(t *testing.T, f forge) host {
	t.Helper()
	s := &shelf{}
	return host{&pack.Inbox{
		Dir: filepath.Join(t.TempDir(), "packs"), Limit: 1 << 20, Verify: f.verify, Images: s, Host: "berlin-1",
		Now: func() time.Time { return morning().Add(48 * time.Hour) },
	}, t, s}
}

func (h host) take(file string) pack.Taken {
	h.t.Helper()
	taken, err := h.Take(h.t.Context(), file)
	if err != nil {
		h.t.Fatal(err)
	}
	return taken
}

// bundles are the contents of the bundles that a repository finds, in name order.
func (h host) bundles() []string {
	h.t.Helper()
	all, err := filepath.Glob(filepath.Join(pack.BundlesDir(h.Dir), "*.bundle"))
	if err != nil {
		h.t.Fatal(err)
	}
	out := []string{}
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(string(data), "the history up to "))
	}
	return out
}

// untouched sees that nothing of a pack was used.
func (h host) untouched(what string) {
	h.t.Helper()
	left, err := filepath.Glob(filepath.Join(h.Dir, "incoming-*"))
	if got := h.bundles(); len(got) > 0 || len(h.images.loaded) > 0 || len(left) > 0 || err != nil {
		h.t.Errorf("%s: used: bundles %v, images %v, left %v, %v", what, got, h.images.loaded, left, err)
	}
}

// entry is one member of an archive as an attacker writes it.
type entry struct {
	header tar.Header
	body   string
}

// entries reads a pack.
func entries(t *testing.T, file string) []entry {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []entry
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, entry{*h, string(body)})
	}
}

// archive writes them again.
func archive(t *testing.T, all []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range all {
		if e.header.Typeflag == tar.TypeReg {
			e.header.Size = int64(len(e.body))
		}
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil && len(e.body) > 0 {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func save(t *testing.T, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bad"+pack.Suffix)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func insert(all []entry, at int, e ...entry) []entry {
	return slices.Insert(slices.Clone(all), at, e...)
}
