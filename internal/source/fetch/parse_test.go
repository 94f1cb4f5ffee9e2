package fetch

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

const root = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func TestParseCommit(t *testing.T) {
	raw := "tree " + root + "\nauthor Ann \x1b[31mRed <ann@example.com> 1 +0000\ncommitter Bob <b@x> 1700000000 +0100\ngpgsig -----\n author Eve <e> 2 +0000\n\n\n  \u202efix: it\nbody\n"
	r, tree, err := parseCommit(plumbing.NewHash(root), []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if r.Author != "Ann Red" || r.Email != "ann@example.com" || r.Subject != "fix: it" || !r.Time.Equal(time.Unix(1700000000, 0)) || tree.String() != root {
		t.Errorf("got %+v, tree %s", r, tree)
	}
	for _, bad := range []string{"", "tree x\n\n", "author Ann <a> 1 +0\ntree " + root + "\n\n", "tag " + root} {
		if _, _, err := parseCommit(plumbing.ZeroHash, []byte(bad)); err == nil {
			t.Errorf("%q was taken for a commit", bad)
		}
	}
	for _, odd := range []string{"committer Bob", "committer Bob <b> x", "committer Bob <b> -5 +0", "committer Bob <b> 99999999999999 +0"} {
		if r, _, err := parseCommit(plumbing.ZeroHash, []byte("tree "+root+"\n"+odd+"\n\nx")); err != nil || !r.Time.IsZero() {
			t.Errorf("%q: got %v, %v", odd, r.Time, err)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add("tree " + root + "\nauthor A <a@b> 1 +0000\n\nsubject")
	f.Add("tree " + root + "\nauthor <\ncommitter >>><\n\n\x1b[31m\xff")
	f.Fuzz(func(t *testing.T, raw string) {
		r, _, err := parseCommit(plumbing.ZeroHash, []byte(raw))
		if err != nil {
			return
		}
		for _, text := range []string{r.Author, r.Email, r.Subject} {
			if len(text) > maxSubject || !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\n\u202e") {
				t.Errorf("not harmless: %q", text)
			}
		}
		if _, err := r.Time.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzNextItem: reading ends, and every step takes bytes away.
func FuzzNextItem(f *testing.F) {
	f.Add([]byte("100644 a\x00" + strings.Repeat("h", 20)))
	f.Add([]byte("40000 \x00short"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for len(raw) > 0 {
			i, rest, err := nextItem(raw)
			if err != nil {
				return
			}
			if len(rest) >= len(raw) || strings.Contains(i.name, "\x00") {
				t.Fatalf("%q of %d bytes left %d", i.name, len(raw), len(rest))
			}
			raw = rest
		}
	})
}
