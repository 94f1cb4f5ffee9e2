package source

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample() Snapshot {
	return Snapshot{
		Revision: Revision{Commit: strings.Repeat("a", 40), Author: "Ann", Subject: "größer", Time: time.Unix(1700000000, 0).UTC()},
		Files:    []File{{Path: "a/b", Hash: strings.Repeat("b", 40), Mode: ModeFile, Size: 3}, {Path: "a/c d", Hash: strings.Repeat("c", 40), Mode: ModeLink, Refused: "why not"}},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	data, digest, err := encodeManifest(sample())
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseManifest(data)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %+v, %v", got, err)
	}
	if digest != sum(data) {
		t.Errorf("digest %s, want %s", digest, sum(data))
	}
}

// signed gives a body the hash that it should have, to reach the other checks.
func signed(body string) []byte {
	return fmt.Appendf(nil, "%x\n%s", sha256.Sum256([]byte(body)), body)
}

func TestManifestsThatAreRefused(t *testing.T) {
	good, _, err := encodeManifest(sample())
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(string(good))
	flipped[len(flipped)/2] ^= 1
	commit := `{"commit":"` + strings.Repeat("a", 40) + `","time":"2020-01-01T00:00:00Z"}` + "\n"
	hash := " " + strings.Repeat("b", 40) + " "
	for name, data := range map[string][]byte{
		"empty": nil, "no line": []byte("abc"), "cut": good[:len(good)-5], "flipped": flipped,
		"no JSON":        signed("x\n"),
		"no commit":      signed("{}\n"),
		"no end of line": signed(strings.TrimSuffix(commit, "\n")),
		"absolute path":  signed(commit + "100644 1" + hash + "/etc/passwd\t\n"),
		"leaving":        signed(commit + "100644 1" + hash + "a/../../b\t\n"),
		"NUL":            signed(commit + "100644 1" + hash + "a\x00\t\n"),
		"no path":        signed(commit + "100644 1" + hash + "\t\n"),
		"out of order":   signed(commit + "100644 1" + hash + "b\t\n100644 1" + hash + "a\t\n"),
		"twice":          signed(commit + "100644 1" + hash + "b\t\n100644 1" + hash + "b\t\n"),
		"no tab":         signed(commit + "100644 1" + hash + "b\n"),
		"two tabs":       signed(commit + "100644 1" + hash + "b\t\t\n"),
		"cut line":       signed(commit + "100644 1" + hash + "b\t"),
		"no mode":        signed(commit + "x 1" + hash + "b\t\n"),
		"negative size":  signed(commit + "100644 -1" + hash + "b\t\n"),
		"no hash":        signed(commit + "100644 1 x b\t\n"),
		"empty line":     signed(commit + "\n"),
		"unknown field":  signed(`{"more":1,` + commit[1:]),
	} {
		if _, err := parseManifest(data); !errors.Is(err, errManifest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAPathThatNoManifestHolds: a line is a file.
func TestAPathThatNoManifestHolds(t *testing.T) {
	for _, path := range []string{"a\nb", "a\tb"} {
		s := sample()
		s.Files[0].Path = path
		if _, _, err := encodeManifest(s); !errors.Is(err, errManifest) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// FuzzManifest: nothing that is accepted names a path outside.
func FuzzManifest(f *testing.F) {
	good, _, err := encodeManifest(sample())
	if err != nil {
		f.Fatal(err)
	}
	_, body, _ := strings.Cut(string(good), "\n")
	f.Add(body)
	f.Add(`{"commit":"` + strings.Repeat("a", 40) + `"}` + "\n100644 1 " + strings.Repeat("b", 40) + " ../x\t\n")
	f.Fuzz(func(t *testing.T, body string) {
		s, err := parseManifest(signed(body))
		if err != nil {
			return
		}
		last := ""
		for _, file := range s.Files {
			if strings.HasPrefix(file.Path, "/") || strings.Contains("/"+file.Path+"/", "/../") || file.Path <= last {
				t.Errorf("accepted the path %q", file.Path)
			}
			last = file.Path
		}
		again, _, err := encodeManifest(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(again); err != nil {
			t.Errorf("what was accepted is not when written again: %v", err)
		}
	})
}
