package state

import "testing"

func TestIdentityStaysWithItsDirectory(t *testing.T) {
	ids := map[string]bool{}
	here := t.TempDir()
	for _, dir := range []string{here, here, t.TempDir()} {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		ids[s.ID()] = true
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(ids) != 2 {
		t.Errorf("two directories, one opened twice, have %d identities, want 2", len(ids))
	}
}
