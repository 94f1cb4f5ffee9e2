package fetch

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"

	"syncd.io/syncd/internal/fault"
)

func TestWhatNoSettingAllowsSaysWhatElseToDo(t *testing.T) {
	store := memory.NewStorage()
	for kind, c := range map[plumbing.ObjectType]struct {
		limit int64
		hint  string
	}{
		plumbing.TreeObject:   {maxTree, "spread it over directories (limits.files"},
		plumbing.CommitObject: {maxCommit, "a shorter message"},
	} {
		object := store.NewEncodedObject()
		object.SetType(kind)
		w, err := object.Writer()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, c.limit+1)); err != nil {
			t.Fatal(err)
		}
		hash, err := store.SetEncodedObject(object)
		if err != nil {
			t.Fatal(err)
		}
		_, err = objectReader{store: store}.read(kind, hash, c.limit)
		if fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), c.hint) {
			t.Errorf("%s: %v, hint %q, want %q", kind, err, fault.Advice(err), c.hint)
		}
	}
}
