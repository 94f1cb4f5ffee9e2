package pack_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

// FuzzOpen: whatever a file holds, reading it ends; an error says that the file is to
// blame, and what is accepted has members that can be read or are refused.
func FuzzOpen(f *testing.F) {
	good, err := os.ReadFile(filepath.Join("testdata", "small.syncdpack"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:1024])
	f.Add([]byte("manifest.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := pack.Open(file, 1<<20, func([]byte, []byte) (string, error) { return "", nil })
		if err != nil {
			if fault.Of(err) != fault.Rejected {
				t.Errorf("%v (%v)", err, fault.Of(err))
			}
			return
		}
		defer p.Close()
		for _, m := range p.Manifest.Members {
			if err := p.Copy(t.Context(), io.Discard, m.Name); err != nil && fault.Of(err) != fault.Rejected {
				t.Errorf("%s: %v (%v)", m.Name, err, fault.Of(err))
			}
		}
	})
}
