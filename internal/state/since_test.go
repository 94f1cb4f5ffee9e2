package state

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// chronicle is what both records do alike.
type chronicle interface {
	SaveWith(r Record, entries ...Entry) (Entry, error)
	Append(e Entry) (Entry, error)
	History(app string, limit int) ([]Entry, error)
	Since(id uint64, limit int) ([]Entry, error)
}

func reasons(t *testing.T, entries []Entry, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.App+" "+e.Reason)
	}
	return out
}

func wantLast(t *testing.T, c any, want uint64) {
	t.Helper()
	if id, err := c.(interface{ Last() (uint64, error) }).Last(); err != nil || id != want {
		t.Errorf("the last is %d, %v; want %d", id, err, want)
	}
}

func TestSinceGivesTheEntriesOfAllAppsInOrder(t *testing.T) {
	for name, c := range map[string]chronicle{"on disk": open(t, t.TempDir()), "in a cluster": newMemory().cluster(t)} {
		t.Run(name, func(t *testing.T) {
			if none, err := c.Since(0, 0); err != nil || len(none) != 0 {
				t.Errorf("of an empty history it gives %v, %v", none, err)
			}
			wantLast(t, c, 0)
			for i, app := range []string{"shop", "", "blog", "shop-2", "shop"} {
				var err error
				e := Entry{App: app, Reason: strconv.Itoa(i)}
				if app == "shop" {
					_, err = c.SaveWith(Record{App: app, Dir: e.Reason}, e, Entry{App: app, Reason: e.Reason + " and more"})
				} else {
					_, err = c.Append(e)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			all, err := c.Since(0, 0)
			want := []string{"shop 0", "shop 0 and more", " 1", "blog 2", "shop-2 3", "shop 4", "shop 4 and more"}
			if got := reasons(t, all, err); !slices.Equal(got, want) {
				t.Errorf("since ever: %q", got)
			}
			for i, e := range all {
				if e.ID != uint64(i+1) {
					t.Errorf("entry %d has the ID %d", i, e.ID)
				}
			}
			wantLast(t, c, 7)
			some, err := c.Since(2, 3)
			if got := reasons(t, some, err); !slices.Equal(got, want[2:5]) {
				t.Errorf("the three after the second: %q", got)
			}
			if none, err := c.Since(all[len(all)-1].ID, 0); err != nil || len(none) != 0 {
				t.Errorf("after the last it gives %v, %v", none, err)
			}
			own, err := c.History("", 0)
			if got := reasons(t, own, err); !slices.Equal(got, []string{" 1"}) {
				t.Errorf("the agent's own: %q", got)
			}
		})
	}
}

func TestLinesOfOneWriteAreAllThereOrNone(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	m.asked()
	if _, err := c.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: "a"}, Entry{App: "shop", Reason: "b"}); err != nil {
		t.Fatal(err)
	}
	if calls := m.asked(); len(calls) != 1 {
		t.Errorf("two lines took %v", calls)
	}
}

// Who reads on from the newest entry would never see one with a smaller ID that came
// later.
func TestSinceWaitsForWhatIsBeingWritten(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	if _, err := c.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: "first"}); err != nil {
		t.Fatal(err)
	}
	m.trouble = func(int) (error, bool) { return errGone, false }
	if _, err := c.SaveWith(Record{App: "shop", Dir: "d"}, Entry{App: "shop", Reason: "second"}); err == nil {
		t.Fatal("the write arrived all the same")
	}
	m.trouble = nil
	if _, err := c.SaveWith(Record{App: "blog"}, Entry{App: "blog", Reason: "third"}); err != nil {
		t.Fatal(err)
	}
	before, err := c.Since(0, 0)
	if got := reasons(t, before, err); !slices.Equal(got, []string{"shop first"}) {
		t.Errorf("while nobody knows what became of the second, it gives %q", got)
	}
	if _, err := c.SaveWith(Record{App: "shop", Dir: "d"}, Entry{App: "shop", Reason: "second"}); err != nil {
		t.Fatal(err)
	}
	after, err := c.Since(1, 0)
	if got := reasons(t, after, err); !slices.Equal(got, []string{"blog third", "shop second"}) {
		t.Errorf("then it gives %q", got)
	}
}

// What the cluster refuses has not come to anything: nobody waits for that, nor for what
// nobody knew of before it and is not there then.
func TestSinceWaitsForNothingThatWasRefused(t *testing.T) {
	refused := fault.As(fault.Blocked, errors.New("exceeded quota: objects"))
	for name, c := range map[string]struct {
		before error
		late   bool // it was there all the same
		kept   Record
		want   []string
	}{
		"at once":                     {want: []string{"blog third"}},
		"after one that is unknown":   {before: errGone, want: []string{"blog third"}},
		"after one that was there":    {before: errGone, late: true},
		"of an app that has a record": {before: errGone, kept: Record{App: "shop", Dir: "d"}, want: []string{"blog third"}},
		"after one that changed it":   {before: errGone, late: true, kept: Record{App: "shop", Dir: "d"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			s := m.cluster(t)
			if c.kept.App != "" {
				ok(t, s.Save(c.kept))
			}
			save := func(want error, late bool) {
				t.Helper()
				m.calls, m.trouble = nil, func(call int) (error, bool) {
					if call > 0 { // it may be looked at
						return nil, false
					}
					return want, late
				}
				if _, err := s.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: "second"}); !errors.Is(err, want) {
					t.Fatalf("the save came to %v", err)
				}
				m.trouble = nil
			}
			since := func(want ...string) {
				t.Helper()
				got, err := s.Since(0, 0)
				if got := reasons(t, got, err); !slices.Equal(got, want) {
					t.Errorf("it gives %q, want %q", got, want)
				}
			}
			if c.before != nil {
				save(c.before, c.late)
			}
			save(refused, false)
			if _, err := s.SaveWith(Record{App: "blog"}, Entry{App: "blog", Reason: "third"}); err != nil {
				t.Fatal(err)
			}
			since(c.want...)
			if _, err := s.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: "last"}); err != nil {
				t.Fatal(err)
			}
			since("blog third", "shop last")
		})
	}
}

func TestIDsGoOnAfterTheHistoryIsLost(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	var last Entry
	for range 3 {
		var err error
		if last, err = c.SaveWith(Record{App: "shop"}, Entry{App: "shop"}); err != nil {
			t.Fatal(err)
		}
	}
	b := m.kept["syncd-record-shop"] // what is broken there is set aside when it is opened
	b.Data = slices.Clone(b.Data)
	b.Data[len(b.Data)-1] ^= 1
	m.kept[b.Name] = b
	c = m.cluster(t)
	next, err := c.SaveWith(Record{App: "shop"}, Entry{App: "shop"})
	if err != nil || next.ID <= last.ID || c.Recovered() == "" {
		t.Errorf("after %d comes %d, %v", last.ID, next.ID, err)
	}
}
