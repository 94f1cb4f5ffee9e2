package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// noise adds a pack of one object to the store.
func noise(t *testing.T, s *store, kind plumbing.ObjectType, head string) {
	t.Helper()
	var seed [32]byte
	copy(seed[:], head)
	content := make([]byte, 100<<10)
	_, _ = rand.NewChaCha8(seed).Read(content)
	content = append([]byte(head), content...)
	err := s.write(func(p *packer) error {
		return p.add(plumbing.ComputeHash(kind, content), kind, int64(len(content)), bytes.NewReader(content))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A store that has outgrown its limit gives up what nobody needs, and all where that is
// not enough: it can be had anew.
func TestAStoreDoesNotOutgrowItsLimit(t *testing.T) {
	const limit = 1 << 20
	dir := filepath.Join(t.TempDir(), "store")
	with := func(use func(*store)) (packs int) {
		t.Helper()
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		use(s)
		all, err := s.packs()
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	add := func(kind plumbing.ObjectType, n int) func(*store) {
		return func(s *store) {
			for i := range n {
				noise(t, s, kind, fmt.Sprintf("tree %040d\nnumber %d\n", 0, i))
			}
		}
	}
	bound := func(s *store) {
		if err := s.bound(t.Context(), limit); err != nil {
			t.Fatal(err)
		}
	}
	if with(add(plumbing.CommitObject, 5)); with(bound) != 5 {
		t.Error("what is within the limit was touched")
	}
	if with(add(plumbing.BlobObject, 8)); with(bound) != 1 {
		t.Error("files that no commit needs stay")
	}
	kept := with(func(s *store) {
		left, err := s.outgrown(500 << 10)
		if err != nil || !left {
			t.Errorf("commits went: %v", err)
		}
	})
	if with(add(plumbing.CommitObject, 12)); kept != 1 || with(bound) != 0 {
		t.Error("it holds more than its limit")
	}
	with(add(plumbing.BlobObject, 1)) // it can be worked with
}

// What is refused goes; what had been there before stays, also where a server sent it
// once more.
func TestForgettingLeavesWhatHadBeenThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	for round, want := range []int{2, 2} {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		noise(t, s, plumbing.CommitObject, "one")
		noise(t, s, plumbing.CommitObject, "two")
		if round == 1 {
			noise(t, s, plumbing.CommitObject, "three")
			noise(t, s, plumbing.CommitObject, "three")
			err = s.forget()
		}
		packs, listing := s.packs()
		if err := errors.Join(err, listing, s.Close()); err != nil || len(packs) != want {
			t.Errorf("round %d: %d packs, want %d, %v", round, len(packs), want, err)
		}
	}
}
