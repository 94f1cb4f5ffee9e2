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
		Files:    []File{{Path: "a/b", Hash: strings.Repeat("b", 40), Mode: ModeFile, Size: 3}, {Path: "a/c", Mode: ModeLink, Refused: "why"}},
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
	commit := `{"revision":{"commit":"` + strings.Repeat("a", 40) + `","time":"2020-01-01T00:00:00Z"},`
	for name, data := range map[string][]byte{
		"empty": nil, "no line": []byte("abc"), "cut": good[:len(good)-5], "flipped": flipped,
		"no JSON":       signed("x"),
		"no commit":     signed(`{}`),
		"absolute path": signed(commit + `"files":[{"path":"/etc/passwd"}]}`),
		"leaving":       signed(commit + `"files":[{"path":"a/../../b"}]}`),
		"NUL":           signed(commit + `"files":[{"path":"a\u0000"}]}`),
		"no path":       signed(commit + `"files":[{"path":""}]}`),
		"out of order":  signed(commit + `"files":[{"path":"b"},{"path":"a"}]}`),
		"twice":         signed(commit + `"files":[{"path":"b"},{"path":"b"}]}`),
		"with a place":  signed(commit + `"dir":"/etc","files":[]}`),
		"unknown field": signed(commit + `"more":1}`),
	} {
		if _, err := parseManifest(data); !errors.Is(err, errManifest) {
			t.Errorf("%s: got %v", name, err)
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
	f.Add(`{"revision":{"commit":"x"},"files":[{"path":"../x"}]}`)
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
