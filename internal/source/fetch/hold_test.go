package fetch

import (
	"os"
	"path/filepath"
	"testing"
)

// A pack without an index makes the whole look damaged: at no moment there is one.
func TestAnIndexIsThereBeforeItsPack(t *testing.T) {
	h, err := openHold(filepath.Join(t.TempDir(), "hold"), false)
	if err != nil {
		t.Fatal(err)
	}
	from, to := t.TempDir(), filepath.Join(h.dir, packDir)
	for _, suffix := range []string{".pack", ".idx"} {
		if err := os.WriteFile(filepath.Join(from, "pack-1"+suffix), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(to, "pack-1.idx"), 0o700); err != nil { // it ends there
		t.Fatal(err)
	}
	err = h.adopt(from, "pack-1")
	if _, pack := os.Lstat(filepath.Join(to, "pack-1.pack")); err == nil || !os.IsNotExist(pack) {
		t.Errorf("%v; the pack: %v", err, pack)
	}
}
