package state

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/blob"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

func TestRecordsInAClusterSurviveAnotherAgent(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	want := complete()
	if err := errorsOf(c.Save(want), c.Save(Record{App: "blog"}), c.SaveLog(FailedLog{App: "only-logs"})); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Cluster{c, m.cluster(t)} {
		got, err := c.Record("shop")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
		}
		if got, err := c.Record("none"); err != nil || !reflect.DeepEqual(got, Record{App: "none"}) {
			t.Errorf("an unknown app: %+v, %v", got, err)
		}
		if apps, err := c.Apps(); err != nil || !slices.Equal(apps, []string{"blog", "shop"}) {
			t.Errorf("apps %v, %v", apps, err)
		}
		if c.Recovered() != "" {
			t.Errorf("something was recovered from a sound record: %s", c.Recovered())
		}
	}
	if a, b := m.cluster(t).ID(), c.ID(); a != b || len(a) != 12 {
		t.Errorf("the agent is %q, and was %q", a, b)
	}
}

func TestASaveInAClusterIsOneWriteAndNoneWhereNothingChanged(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	if calls := m.asked(); !hasPrefix(calls, "list", "put syncd-key") {
		t.Errorf("opened by %v", calls)
	}
	r := complete()
	for i, step := range []struct {
		change func()
		save   func() error
		calls  []string
	}{
		{save: func() error { return c.Save(r) }, calls: []string{"put syncd-record-shop"}},
		{save: func() error { return c.Save(r) }},
		{change: func() { c = m.cluster(t); m.asked() }, save: func() error { return c.Save(r) }},
		{change: func() { r.Halted = "other" }, save: func() error { return c.Save(r) }, calls: []string{"put syncd-record-shop"}},
		{save: func() error { _, err := c.SaveWith(r, Entry{App: "shop"}); return err }, calls: []string{"put syncd-record-shop"}},
		{change: func() { c = m.cluster(t) }, calls: []string{"list"}},
	} {
		if step.change != nil {
			step.change()
		}
		if step.save != nil {
			if err := step.save(); err != nil {
				t.Fatal(err)
			}
		}
		if calls := m.asked(); !hasPrefix(calls, step.calls...) {
			t.Errorf("step %d asked for %v, want %v", i, calls, step.calls)
		}
	}
}

func TestHistoryAndLogsInAClusterAreBoundedAndNewestFirst(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	for i := range clusterHistory + 7 {
		if e, err := c.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: strconv.Itoa(i)}); err != nil || e.ID != uint64(i+1) {
			t.Fatal(e, err)
		}
	}
	for i := range clusterLogs + 3 {
		commit := strconv.Itoa(i%2) + strings.Repeat("f", 39)
		if err := c.SaveLog(FailedLog{App: "shop", Revision: source.Revision{Commit: commit}, Reason: strconv.Itoa(i), Lines: slices.Repeat([]string{strings.Repeat("x", 1023)}, 99)}); err != nil {
			t.Fatal(err)
		}
	}
	c = m.cluster(t)
	if e, err := c.SaveWith(Record{App: "blog"}, Entry{App: "blog"}); err != nil || e.ID != clusterHistory+8 {
		t.Errorf("the next agent's first entry is %+v, %v", e, err)
	}
	all, err := c.History("shop", 0)
	if err != nil || len(all) != clusterHistory || all[0].Reason != strconv.Itoa(clusterHistory+6) || all[99].ID != 8 {
		t.Errorf("%d entries, %v", len(all), err)
	}
	if three, err := c.History("shop", 3); err != nil || !reflect.DeepEqual(three, all[:3]) {
		t.Errorf("the newest three: %+v, %v", three, err)
	}
	logs, err := c.Logs("shop", "")
	if err != nil || len(logs) != clusterLogs || logs[0].Reason != "12" || len(logs[0].Lines) != clusterLogBytes/1024 {
		t.Errorf("%d logs, %v", len(logs), err)
	}
	if one, err := c.Logs("shop", "1ff"); err != nil || len(one) != clusterLogs/2 || one[0].Reason != "11" {
		t.Errorf("%d logs of one commit, %v", len(one), err)
	}
}

func TestStoredSetsAreSealedInAClusterToo(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	const secret = "hunter2-planted"
	if err := errorsOf(c.Save(Record{App: "shop", Halted: secret}), c.SaveLog(FailedLog{App: "shop", Lines: []string{secret}}), c.Save(Record{App: "blog"})); err != nil {
		t.Fatal(err)
	}
	for name, b := range m.kept {
		if bytes.Contains(b.Data, []byte(secret)) {
			t.Errorf("%s holds the secret in plain", name)
		}
	}
	shop, blog := m.kept["syncd-record-shop"], m.kept["syncd-record-blog"]
	blog.Data = shop.Data // a record that was moved is not another app's
	m.kept[blog.Name] = blog
	if told := m.cluster(t).Recovered(); !strings.Contains(told, `record of "blog"`) {
		t.Errorf("it tells %q", told)
	}
}

func TestNamesOfAppsInACluster(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	apps := []string{"a", "a-b", "a_b", "a-", strings.Repeat("x", 210), "syncd"}
	for _, app := range apps {
		if err := c.Save(Record{App: app, Dir: app}); err != nil {
			t.Fatal(err)
		}
	}
	for name := range m.kept {
		if len(name) > 253 || strings.ContainsAny(name, "_/ ") || strings.HasSuffix(name, "-") {
			t.Errorf("%q is no name in a cluster", name)
		}
	}
	c = m.cluster(t)
	for _, app := range apps {
		if r, err := c.Record(app); err != nil || r.Dir != app {
			t.Errorf("%s: %+v, %v", app, r, err)
		}
	}
	for _, app := range []string{"", "a\x00b"} {
		if err := c.Save(Record{App: app}); fault.Of(err) != fault.Rejected {
			t.Errorf("%q: %v", app, err)
		}
	}
}

func TestLargeRecordsAreSplitAndTheirOldChunksGo(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	m.asked()
	if err := c.Save(large(1)); err != nil {
		t.Fatal(err)
	}
	if calls := m.asked(); !hasPrefix(calls, "put syncd-chunk-", "put syncd-chunk-", "put syncd-record-shop") {
		t.Errorf("asked for %v", calls)
	}
	if err := c.Save(large(2)); err != nil {
		t.Fatal(err)
	}
	if calls := m.asked(); !hasPrefix(calls, "put syncd-chunk-", "put syncd-chunk-", "put syncd-record-shop", "delete syncd-chunk-", "delete syncd-chunk-") {
		t.Errorf("asked for %v", calls)
	}
	if got, err := m.cluster(t).Record("shop"); err != nil || !reflect.DeepEqual(got, large(2)) {
		t.Errorf("the record is of %s, %v", got.Dir, err)
	}
	if err := c.Save(numbered(3)); err != nil || len(m.named(chunkPart)) != 0 {
		t.Errorf("%v: chunks %v are left of a small record", err, m.named(chunkPart))
	}
}

// A write that fails, or of which the answer is lost, at any call: who opens the
// record then finds the old one or the new one, whole; who goes on instead saves
// the new one; and no chunk stays for ever.
func TestTroubleAtEveryCallLeavesTheOldOrTheNewRecord(t *testing.T) {
	for name, pair := range map[string][2]Record{
		"small": {numbered(1), numbered(2)}, "large": {large(1), large(2)}, "grows": {numbered(1), large(2)}, "shrinks": {large(1), numbered(2)}, "first": {{}, large(2)},
	} {
		for _, late := range []bool{false, true} {
			for call := range 5 {
				t.Run(name+" "+strconv.Itoa(call)+" "+strconv.FormatBool(late), func(t *testing.T) { troubled(t, pair[0], pair[1], call, late) })
			}
		}
	}
}

func troubled(t *testing.T, old, next Record, call int, late bool) {
	m := newMemory()
	c := m.cluster(t)
	if old.App != "" {
		if err := c.Save(old); err != nil {
			t.Fatal(err)
		}
	}
	m.fails(call, late)
	_, err := c.SaveWith(next, Entry{App: "shop", Reason: "next"})
	m.trouble = nil
	if err != nil && fault.Of(err) != fault.Unreachable {
		t.Fatalf("the save came to %v", err)
	}
	after := m.cluster(t)
	got, readErr := after.Record("shop")
	entries, _ := after.History("shop", 0)
	isNew := reflect.DeepEqual(got, next) && len(entries) == 1
	if isOld := (old.App == "" && got.Dir == "" || reflect.DeepEqual(got, old)) && len(entries) == 0; readErr != nil || after.Recovered() != "" || !isOld && !isNew || err == nil && !isNew {
		t.Fatalf("the next agent finds %s with %d entries (%v); it tells %q", got.Dir, len(entries), readErr, after.Recovered())
	}
	if _, err := c.SaveWith(next, Entry{App: "shop", Reason: "next"}); err != nil {
		t.Fatalf("the same agent cannot save again: %v", err)
	}
	m.now = m.now.Add(2 * orphanAge)
	after = m.cluster(t)
	if got, err := after.Record("shop"); err != nil || !reflect.DeepEqual(got, next) {
		t.Fatalf("after another save there is %s, %v", got.Dir, err)
	}
	if have, want := len(m.named(chunkPart)), len(needs(m.kept["syncd-record-shop"].Data)); have != want {
		t.Errorf("%d chunks are there, %d are needed", have, want)
	}
}

func TestOrphanChunksAreCollectedAtOpenOnceTheyAreOld(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	m.fails(2, false) // the pointer
	if err := c.Save(large(1)); fault.Of(err) != fault.Unreachable {
		t.Fatal(err)
	}
	m.trouble = nil
	m.cluster(t)
	if n := len(m.named(chunkPart)); n != 2 {
		t.Errorf("%d chunks of a writer that may be about to write its pointer are left", n)
	}
	m.now = m.now.Add(orphanAge + time.Second)
	m.cluster(t)
	if n := len(m.named(chunkPart)); n != 0 {
		t.Errorf("%d orphans are left", n)
	}
}

// A leftover that may not be removed is in nobody's way; an opening that was told to end
// does not count what it had no time for.
func TestALeftoverThatCannotBeRemovedStaysForTheNextTime(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	m.fails(2, false) // the pointer
	if err := c.Save(large(1)); fault.Of(err) != fault.Unreachable {
		t.Fatal(err)
	}
	m.now = m.now.Add(2 * orphanAge)
	m.calls = nil
	m.trouble = func(call int) (error, bool) {
		if strings.HasPrefix(m.calls[call], "delete") {
			return fault.As(fault.Blocked, errors.New("denied by policy")), false
		}
		return nil, false
	}
	c = m.cluster(t)
	if told := c.Recovered(); told != "" || !hasPrefix(m.asked(), "list", "delete syncd-chunk-", "delete syncd-chunk-") {
		t.Errorf("it tells %q", told)
	}
	m.fails(1, false)
	m.cluster(t)
	if calls := m.asked(); !hasPrefix(calls, "list", "delete syncd-chunk-") {
		t.Errorf("nobody answers, and it asked for %v", calls)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	m.trouble = func(call int) (error, bool) {
		if call > 0 {
			cancel(errGone)
		}
		return ctx.Err(), false
	}
	if _, err := OpenCluster(ctx, ClusterOptions{Blobs: m, Place: "namespace syncd", Now: c.opts.Now}); !errors.Is(err, context.Canceled) {
		t.Errorf("told to end, it came to %v", err)
	}
	m.trouble = nil
	m.cluster(t)
	if n := len(m.named(chunkPart)); n != 0 {
		t.Errorf("%d leftovers stay for ever", n)
	}
}

func TestASecondWriterNeverOverwrites(t *testing.T) {
	for name, record := range map[string]func(int) Record{"small": numbered, "large": large} {
		m := newMemory()
		if err := m.cluster(t).Save(record(1)); err != nil {
			t.Fatal(err)
		}
		var told []error
		old, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Place: "namespace syncd", Lost: func(err error) { told = append(told, err) }})
		if err != nil {
			t.Fatal(err)
		}
		old.chunk = smallChunk
		if err := m.cluster(t).Save(record(2)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := old.Save(record(3)); fault.Of(err) != fault.Blocked || !errors.Is(err, errSuperseded) || fault.Advice(err) == "" {
				t.Errorf("%s: the old one's save came to %v", name, err)
			}
		}
		if err := old.Save(Record{App: "blog"}); !errors.Is(err, errSuperseded) {
			t.Errorf("%s: it goes on writing: %v", name, err)
		}
		if len(told) != 1 {
			t.Errorf("%s: it told %v", name, told)
		}
		if r, err := m.cluster(t).Record("shop"); err != nil || r.Dir != "2" {
			t.Errorf("%s: the record is of %s, %v", name, r.Dir, err)
		}
	}
}

func TestWhoLeadsNoMoreWritesNoMore(t *testing.T) {
	m := newMemory()
	lost := errors.New("the lease is lost")
	c, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Fence: func() error { return lost }})
	if err != nil {
		t.Fatal(err)
	}
	m.asked()
	if err := c.Save(numbered(1)); !errors.Is(err, lost) || len(m.asked()) != 0 {
		t.Errorf("the save came to %v", err)
	}
}

func TestARecordThatAPersonDeletedIsWrittenAgain(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	if err := c.Save(numbered(1)); err != nil {
		t.Fatal(err)
	}
	delete(m.kept, "syncd-record-shop")
	if err := c.Save(numbered(2)); err != nil {
		t.Fatal(err)
	}
	if r, err := m.cluster(t).Record("shop"); err != nil || r.Dir != "2" {
		t.Errorf("the record is of %s, %v", r.Dir, err)
	}
}

func TestDamageInAClusterIsSetAside(t *testing.T) {
	for name, hurt := range map[string]func(m *memory, b *blob.Blob){
		"altered": func(_ *memory, b *blob.Blob) { b.Data = append(bytes.Clone(b.Data), 0) },
		"emptied": func(_ *memory, b *blob.Blob) { b.Data = nil },
		"another key": func(m *memory, _ *blob.Blob) {
			k := m.kept[keyName]
			k.Data = make([]byte, keySize)
			m.kept[keyName] = k
		},
		"no such chunk": func(_ *memory, b *blob.Blob) { b.Data = []byte("\x02syncd-chunk-none\n") },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			if err := m.cluster(t).Save(numbered(1)); err != nil {
				t.Fatal(err)
			}
			b := m.kept["syncd-record-shop"]
			hurt(m, &b)
			m.kept[b.Name] = b
			c := m.cluster(t)
			if told := c.Recovered(); !strings.Contains(told, `the record of "shop"`) || !strings.Contains(told, "set aside as syncd-broken-") {
				t.Errorf("it tells %q", told)
			}
			if broken := m.named(brokenPart); len(broken) != 1 || !bytes.Equal(m.kept[broken[0]].Data, b.Data) {
				t.Errorf("set aside: %v", broken)
			}
			if err := c.Save(numbered(2)); err != nil {
				t.Fatal(err)
			}
			if c := m.cluster(t); c.Recovered() != "" {
				t.Errorf("the next agent tells it again: %s", c.Recovered())
			}
		})
	}
}

// What was set aside in a cluster, too, comes back with its key, whatever was learnt
// meanwhile.
func TestWhatWasSetAsideInAClusterComesBackWithItsKey(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	record := large(1)
	if err := errorsOf(c.Save(record), c.Save(Record{App: "A/b", Dir: "odd"}), c.SetAnchor(source.Anchor{Commit: "0123"})); err != nil {
		t.Fatal(err)
	}
	last, err := c.SaveWith(record, Entry{App: "shop", Reason: "first"})
	if err != nil {
		t.Fatal(err)
	}
	as := func(n byte) *Cluster {
		t.Helper()
		k := m.kept[keyName]
		k.Data = slices.Clone(k.Data)
		k.Data[0] ^= n
		m.kept[keyName], m.now = k, m.now.Add(2*orphanAge)
		return m.cluster(t)
	}
	for round := range keepBroken + 1 {
		c = as(1)
		if err := c.Save(Record{App: "shop", Dir: "learnt"}); err != nil {
			t.Fatal(err)
		}
		c = as(1)
		if told := c.Recovered(); !strings.Contains(told, `the record of "shop": it opens with this key, and is put back`) || strings.Contains(told, "treated as new") {
			t.Errorf("round %d: told %q", round, told)
		}
		for range 2 {
			r, err := c.Record("shop")
			odd, failed := c.Record("A/b")
			a, unknown := c.Anchor()
			if err := errorsOf(err, failed, unknown); err != nil || !reflect.DeepEqual(r, record) || odd.Dir != "odd" || a.Commit != "0123" {
				t.Errorf("round %d: of %q and %q, accepted %q, %v", round, r.Dir, odd.Dir, a.Commit, err)
			}
			c = m.cluster(t)
			if told := c.Recovered(); told != "" {
				t.Errorf("round %d: told again: %q", round, told)
			}
		}
		next, err := c.SaveWith(record, Entry{App: "shop", Reason: strconv.Itoa(round)})
		if err != nil || next.ID <= last.ID {
			t.Errorf("round %d: after %d comes %d, %v", round, last.ID, next.ID, err)
		}
		last = next
	}
	if broken := m.named(brokenPart); len(broken) != 1 {
		t.Errorf("what came back is set aside still: %v", broken)
	}
}

func TestOnlySomeOfWhatIsBrokenIsKept(t *testing.T) {
	m := newMemory()
	for i := range keepBroken + 3 {
		m.now = m.now.Add(time.Minute)
		if err := m.cluster(t).Save(numbered(i)); err != nil {
			t.Fatal(err)
		}
		b := m.kept["syncd-record-shop"]
		b.Data = []byte(strconv.Itoa(i))
		m.kept[b.Name] = b
	}
	m.cluster(t)
	if broken := m.named(brokenPart); len(broken) != keepBroken {
		t.Errorf("%d broken records are kept", len(broken))
	}
}

func TestTheKeyInAClusterIsNeverReplaced(t *testing.T) {
	m := newMemory()
	if err := m.cluster(t).Save(numbered(1)); err != nil {
		t.Fatal(err)
	}
	key := m.kept[keyName]
	delete(m.kept, keyName)
	if _, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Place: "namespace syncd"}); fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "it has no key: syncd-key is missing") || fault.Advice(err) == "" {
		t.Errorf("without its key: %v", err)
	}
	short := key
	short.Data = short.Data[:7]
	m.kept[keyName] = short
	if _, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Place: "namespace syncd"}); fault.Of(err) != fault.Blocked || !strings.Contains(err.Error(), "7 bytes") {
		t.Errorf("with half a key: %v", err)
	}
	m.kept[keyName] = key
	if r, err := m.cluster(t).Record("shop"); err != nil || r.Dir != "1" {
		t.Errorf("with its key back: %s, %v", r.Dir, err)
	}
}

func TestOfTwoNewAgentsOneMakesTheKey(t *testing.T) {
	m := newMemory()
	other := newMemory().cluster(t)
	m.trouble = func(call int) (error, bool) {
		if call == 1 { // between the list and the put of its own
			m.kept[keyName] = blob.Blob{Name: keyName, Part: keyPart, Data: bytes.Repeat([]byte{7}, keySize), Fixed: true, Version: "x"}
		}
		return nil, false
	}
	a := m.cluster(t)
	m.trouble = nil
	if b := m.cluster(t); a.ID() != b.ID() || a.ID() == other.ID() {
		t.Errorf("one is %s, the other %s", a.ID(), b.ID())
	}
}

func TestTroubleAtOpeningIsSaid(t *testing.T) {
	m := newMemory()
	m.fails(0, false)
	_, err := OpenCluster(t.Context(), ClusterOptions{Blobs: m, Place: "namespace syncd"})
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "open the record in namespace syncd") {
		t.Errorf("it came to %v", err)
	}
}

func TestALabelThatAPersonPutIsNoOtherAgent(t *testing.T) {
	m := newMemory()
	c := m.cluster(t)
	for i := range 2 {
		if err := c.Save(numbered(i)); err != nil {
			t.Fatal(err)
		}
		b := m.kept["syncd-record-shop"]
		b.Version += "-labelled"
		m.kept[b.Name] = b
		c = m.cluster(t)
		b.Version += "-again"
		m.kept[b.Name] = b
	}
	if err := c.Save(numbered(2)); err != nil {
		t.Fatal(err)
	}
}
