package source_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // what packs end with
	"encoding/binary"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// forgery is a pack that is written entry by entry.
type forgery struct {
	t     *testing.T
	body  bytes.Buffer
	count uint32
}

// The kinds of entries.
const (
	blobEntry  = 3
	deltaEntry = 6
)

// add writes an entry that claims size bytes, and returns where it begins.
func (f *forgery) add(kind byte, size int, between, content []byte) int {
	f.t.Helper()
	at := 12 + f.body.Len()
	first := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		f.body.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	f.body.WriteByte(first)
	f.body.Write(between)
	z := zlib.NewWriter(&f.body)
	_, err := z.Write(content)
	if err := z.Close(); err != nil {
		f.t.Fatal(err)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.count++
	return at
}

// delta writes what differs from the entry at base.
func (f *forgery) delta(base int, content []byte) int {
	f.t.Helper()
	back := 12 + f.body.Len() - base
	offset := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{byte(back&0x7f) | 0x80}, offset...)
	}
	return f.add(deltaEntry, len(content), offset, content)
}

func (f *forgery) pack() string {
	out := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), f.count)
	out = append(out, f.body.Bytes()...)
	sum := sha1.Sum(out) //nolint:gosec // see the import
	return string(append(out, sum[:]...))
}

// varint is a size in a delta.
func varint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// TestForgedPacks: none costs more than it may, and the next honest one is taken.
func TestForgedPacks(t *testing.T) {
	for name, forge := range map[string]func(f *forgery){
		"nothing":        func(*forgery) {},
		"another object": func(f *forgery) { f.add(blobEntry, 1, nil, []byte("x")) },
		"deltas five thousand deep": func(f *forgery) {
			at := f.add(blobEntry, 1, nil, []byte("x"))
			for range 5000 {
				at = f.delta(at, append(append(varint(1), varint(1)...), 0x90, 1)) // the same byte
			}
		},
		"more than it claims": func(f *forgery) { f.add(blobEntry, 1, nil, bytes.Repeat([]byte("x"), 64<<20)) },
		"a delta to a terabyte": func(f *forgery) {
			at := f.add(blobEntry, 1, nil, []byte("x"))
			f.delta(at, append(append(varint(1), varint(1<<40)...), 0x90, 1))
		},
		"a delta to itself":     func(f *forgery) { f.delta(12, []byte{1, 1, 0x90, 1}) },
		"a claim of an exabyte": func(f *forgery) { f.add(blobEntry, 1<<60, nil, []byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			g.next("first")
			f := &forgery{t: t}
			forge(f)
			var honest atomic.Bool
			s := serve(t, g, func(h http.Handler) http.Handler {
				evil := forged(f.pack())(h)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if honest.Load() {
						h.ServeHTTP(w, r)
					} else {
						evil.ServeHTTP(w, r)
					}
				})
			})
			var dir string
			r := follow(t, s.URL, plain, func(o *source.Options) {
				dir, o.Limits.FetchMemory, o.Limits.FetchTime = o.Dir, 256<<20, config.Duration(20*time.Second)
			})
			err := poll(t, r)
			if fault.Of(err) != fault.Unreachable && fault.Of(err) != fault.Rejected {
				t.Errorf("got %v (%v)", err, fault.Of(err))
			}
			if left := names(t, dir); len(left) > 0 {
				t.Errorf("left %q", left)
			}
			honest.Store(true)
			r.Forget()
			checkFiles(t, load(t, r))
		})
	}
}

// TestAStallInMidPack ends with the time that a fetch may take.
func TestAStallInMidPack(t *testing.T) {
	g := newRepo(t)
	g.write("big", random(100<<10))
	g.commit("big")
	var ts traps
	ts.set(1 << 40)
	s := serve(t, g, ts.wrap)
	r := follow(t, s.URL, plain, func(o *source.Options) { o.Limits.FetchTime = config.Duration(2 * time.Second) })
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr := ts.set(10000)
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Unreachable, "took longer than 2s", "limits.fetchTime")
	close(tr.release)
	ts.set(1 << 40)
	patient := follow(t, s.URL, plain)
	checkFiles(t, load(t, patient))
}

// TestHistoryIsWhatCommitsSay: neither a replacement nor a graft makes it another.
func TestHistoryIsWhatCommitsSay(t *testing.T) {
	ways(t, func(t *testing.T, g *repo, r *source.Repository) {
		first := g.next("first")
		second := g.next("second")
		g.git("checkout", "-q", "--orphan", "other")
		other := g.next("other")
		g.git("checkout", "-q", "main")
		g.git("replace", first, other)
		g.git("config", "advice.graftFileDeprecated", "false")
		if err := os.WriteFile(filepath.Join(g.dir, ".git/info/grafts"), []byte(second+" "+other+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := load(t, r)
		if s.Revision.Commit != second || strings.Contains(files(s), "other") {
			t.Errorf("got %+v with %q", s.Revision, files(s))
		}
		wantRelation(t, r, first, second, source.Ahead)
		if commits, err := r.Between(t.Context(), "", first); err == nil && subjects(commits) != "first" {
			t.Errorf("the first one is %q", subjects(commits))
		}
	})
}

// TestOtherObjectNames are refused before anything is fetched.
func TestOtherObjectNames(t *testing.T) {
	g := &repo{t, t.TempDir()}
	g.git("init", "-q", "-b", "main", "--object-format=sha256")
	g.commit("x")
	r := follow(t, serve(t, g).URL, plain)
	_, err := r.Resolve(t.Context())
	if fault.Of(err) != fault.Rejected && fault.Of(err) != fault.Unreachable {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
	if err == nil {
		t.Error("it was taken")
	}
	_, err = r.Load(t.Context(), strings.Repeat("a", 40))
	if err == nil {
		t.Error("a commit of it was loaded")
	}
}
