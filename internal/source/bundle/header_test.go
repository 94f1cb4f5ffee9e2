package bundle_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/source/bundle"
)

const (
	one = "1111111111111111111111111111111111111111"
	two = "2222222222222222222222222222222222222222"
)

func TestAHeaderIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want bundle.Header
	}{
		"all history":    {"# v2 git bundle\n" + one + " refs/heads/main\n\nPACK", bundle.Header{Version: 2, Refs: []bundle.Ref{{Name: "refs/heads/main", Hash: one}}}},
		"with HEAD":      {"# v2 git bundle\n" + one + " refs/heads/main\n" + one + " HEAD\n\n", bundle.Header{Version: 2, Refs: []bundle.Ref{{Name: "refs/heads/main", Hash: one}, {Name: "HEAD", Hash: one}}}},
		"a difference":   {"# v2 git bundle\n-" + two + " the subject\n-" + one + "\n" + one + " refs/tags/v1\n\n", bundle.Header{Version: 2, Prerequisites: []string{two, one}, Refs: []bundle.Ref{{Name: "refs/tags/v1", Hash: one}}}},
		"of version 3":   {"# v3 git bundle\n@object-format=sha1\n" + one + " refs/heads/main\n\n", bundle.Header{Version: 3, Refs: []bundle.Ref{{Name: "refs/heads/main", Hash: one}}}},
		"without a pack": {"# v3 git bundle\n" + one + " refs/heads/a/b\n\n", bundle.Header{Version: 3, Refs: []bundle.Ref{{Name: "refs/heads/a/b", Hash: one}}}},
	} {
		got, err := bundle.Read(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pack := strings.Index(c.text, "\n\n") + 2
		if got.Version != c.want.Version || !slices.Equal(got.Refs, c.want.Refs) || !slices.Equal(got.Prerequisites, c.want.Prerequisites) || got.Size != int64(pack) {
			t.Errorf("%s: %+v, want %+v with the pack at %d", name, got, c.want, pack)
		}
	}
}

func TestAHeaderIsRefused(t *testing.T) {
	const start = "# v2 git bundle\n"
	for text, want := range map[string]string{
		"":                                   "too early",
		"# v2 git bun":                       "too early",
		start:                                "too early",
		start + one + " refs/hea":            "too early",
		start + one + " refs/heads/main\n":   "too early",
		"PK\x03\x04 a zip archive and so on": "no Git bundle",
		"# v1 git bundle\n":                  "no Git bundle",
		"# v2 git bundle\r\n":                "no Git bundle",
		start + "\nPACK":                     "names no ref",
		start + "-" + one + "\n\nPACK":       "names no ref",
		start + "-main\n":                    "no commit",
		start + one + " refs/heads/main\n-" + two + "\n":                        "behind the refs",
		start + "@object-format=sha1\n":                                         "where none may be",
		start + one + "\n":                                                      "neither",
		start + one + one + " refs/heads/main\n":                                "neither",
		start + one + " main\n":                                                 "does not allow",
		start + one + " refs/heads/../../config\n":                              "does not allow",
		start + one + " refs/heads/\x1b[31m\n":                                  "does not allow",
		start + one + " refs/heads/a\n" + two + " refs/heads/a\n":               "twice",
		start + strings.Repeat("x", 5000):                                       "longer than",
		"# v3 git bundle\n@object-format=sha256\n":                              "SHA-256",
		"# v3 git bundle\n@filter=blob:none\n":                                  "--filter",
		"# v3 git bundle\n@novelty\n":                                           "capability",
		"# v3 git bundle\n" + one + " refs/heads/a\n@object-format=sha1\n":      "where none may be",
		start + strings.Repeat("-"+one+"\n", 1<<18+1) + one + " refs/heads/a\n": "lines",
	} {
		_, err := bundle.Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %q", text, err, want)
		}
		if short := errors.Is(err, bundle.ErrShort); short != (want == "too early") {
			t.Errorf("%.80q: more bytes may help: %t", text, short)
		}
	}
}

func TestAHeaderIsWritten(t *testing.T) {
	h := bundle.Header{Prerequisites: []string{two}, Refs: []bundle.Ref{{Name: "refs/heads/main", Hash: one}}}
	var out bytes.Buffer
	if err := bundle.Write(&out, h); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "# v2 git bundle\n-"+two+" \n"+one+" refs/heads/main\n\n" {
		t.Errorf("it is %q", got)
	}
	for _, bad := range []bundle.Header{{}, {Refs: []bundle.Ref{{Name: "main", Hash: one}}}, {Refs: []bundle.Ref{{Name: "refs/heads/a\n", Hash: one}}}} {
		if err := bundle.Write(&out, bad); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
}

// FuzzRead: whatever a file begins with, reading ends, and what is read can be
// written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte("# v2 git bundle\n-" + two + " x\n" + one + " refs/heads/main\n\nPACK"))
	f.Add([]byte("# v3 git bundle\n@object-format=sha1\n" + one + " HEAD\n\n"))
	f.Add([]byte("# v3 git bundle\n@object-format=sha256\n"))
	f.Add([]byte("# v2 git bundle\n" + one + " refs/heads/../x\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := bundle.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if h.Size > int64(len(data)) || len(h.Refs) == 0 {
			t.Fatalf("%+v of %d bytes", h, len(data))
		}
		var out bytes.Buffer
		if err := bundle.Write(&out, h); err != nil {
			t.Fatal(err)
		}
		again, err := bundle.Read(&out)
		if err != nil || !slices.Equal(again.Refs, h.Refs) || !slices.Equal(again.Prerequisites, h.Prerequisites) {
			t.Fatalf("%+v became %+v, %v", h, again, err)
		}
	})
}
