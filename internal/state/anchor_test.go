package state

import (
	"reflect"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
)

// anchors are the two places in which the accepted revision is kept.
type anchors interface {
	source.Anchors
	Apps() ([]string, error)
}

func TestTheAcceptedRevisionOutlastsTheProcess(t *testing.T) {
	dir, m := t.TempDir(), newMemory()
	for name, begin := range map[string]func() anchors{
		"disk":    func() anchors { s, err := Open(dir); return opened(t, s, err) },
		"cluster": func() anchors { return m.cluster(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := begin()
			if a, err := s.Anchor(); err != nil || !reflect.DeepEqual(a, source.Anchor{}) {
				t.Errorf("of a new host: %+v, %v", a, err)
			}
			want := source.Anchor{Ref: "branch main", Found: "refs/heads/main", Commit: "0123", Remotes: []string{"https://a/r", "/b"}, At: time.Unix(1_700_000_000, 0).UTC()}
			for range 2 {
				if err := s.SetAnchor(want); err != nil {
					t.Fatal(err)
				}
			}
			if c, ok := s.(interface{ Close() error }); ok {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s = begin()
			if a, err := s.Anchor(); err != nil || !reflect.DeepEqual(a, want) {
				t.Errorf("got %+v, %v; want %+v", a, err, want)
			}
			if apps, err := s.Apps(); err != nil || len(apps) != 0 {
				t.Errorf("it is taken for an app: %v, %v", apps, err)
			}
		})
	}
}

func opened(t *testing.T, s *Store, err error) *Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
