package state

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// complete is a record with something in every field, whatever fields it has.
func complete() Record {
	var r Record
	fill(reflect.ValueOf(&r).Elem())
	r.App = "shop"
	return r
}

// fill gives v, and all that is in it, a value that is not zero.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)))
		return
	case json.RawMessage:
		v.Set(reflect.ValueOf(json.RawMessage(`{"env":["A=1"]}`)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	default:
		v.SetInt(7)
	}
}

func TestRecordsSurviveAnotherProcess(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "new", "state"))
	want := complete()
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(Record{App: "blog"}); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	got, err := s.Record("shop")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if got, err := s.Record("none"); err != nil || !reflect.DeepEqual(got, Record{App: "none"}) {
		t.Errorf("an unknown app: %+v, %v", got, err)
	}
	if apps, err := s.Apps(); err != nil || !slices.Equal(apps, []string{"blog", "shop"}) {
		t.Errorf("apps %v, %v", apps, err)
	}
	if s.Recovered() != "" {
		t.Errorf("something was recovered from a sound record: %s", s.Recovered())
	}
}

func TestFilesArePrivate(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	for name, want := range map[string]os.FileMode{"": os.ModeDir | 0o700, "record.db": 0o600, "key": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%q: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if err := os.Chmod(filepath.Join(s.dir, "key"), 0o644); err != nil {
		t.Fatal(err)
	}
	reopen(t, s)
	if info, err := os.Stat(filepath.Join(s.dir, "key")); err != nil || info.Mode() != 0o600 {
		t.Errorf("a key that others may read stayed so: %v, %v", info.Mode(), err)
	}
}

func contents(t *testing.T, s *Store) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "record.db"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestStatusIsWrittenOnlyWhenItChanges(t *testing.T) {
	s := open(t, t.TempDir())
	save := func(r Record, value string) []byte {
		t.Helper()
		if err := s.Save(r); err != nil {
			t.Fatal(err)
		}
		if err := s.SetMeta("seen", value); err != nil {
			t.Fatal(err)
		}
		return contents(t, s)
	}
	first := save(complete(), "a")
	if !bytes.Equal(first, save(complete(), "a")) {
		t.Error("the same record was written again")
	}
	s = reopen(t, s)
	if !bytes.Equal(first, save(complete(), "a")) {
		t.Error("the same record was written again by the next process")
	}
	changed := complete()
	changed.Halted = "other"
	if bytes.Equal(first, save(changed, "a")) {
		t.Error("a changed record was not written")
	}
	before := contents(t, s)
	if bytes.Equal(before, save(changed, "b")) {
		t.Error("a changed value was not written")
	}
	if value, err := s.Meta("seen"); err != nil || value != "b" {
		t.Errorf("meta %q, %v", value, err)
	}
	if value, err := s.Meta("none"); err != nil || value != "" {
		t.Errorf("unknown meta %q, %v", value, err)
	}
}

func TestHistoryIsBoundedAndNewestFirst(t *testing.T) {
	s := open(t, t.TempDir())
	other, err := s.Append(Entry{App: "shop-2", Reason: "other"})
	if err != nil || other.ID != 1 {
		t.Fatalf("%+v, %v", other, err)
	}
	// Entries are written in bulk: what is tested is their order and number.
	for i := range maxHistory + 7 {
		if _, err := s.SaveWith(Record{App: "shop"}, Entry{App: "shop", Reason: strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
		if i == 20 {
			s.db.NoSync = true
		}
	}
	all, err := s.History("shop", 0)
	if err != nil || len(all) != maxHistory {
		t.Fatalf("%d entries, %v; want %d", len(all), err, maxHistory)
	}
	for i, e := range all {
		if e.Reason != strconv.Itoa(maxHistory+6-i) || e.ID != uint64(maxHistory+8-i) {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
	if three, err := s.History("shop", 3); err != nil || !reflect.DeepEqual(three, all[:3]) {
		t.Errorf("the newest three: %+v, %v", three, err)
	}
	if others, err := s.History("shop-2", 0); err != nil || len(others) != 1 || others[0].Reason != "other" {
		t.Errorf("another app's: %+v, %v", others, err)
	}
	if none, err := s.History("sho", 0); err != nil || len(none) != 0 {
		t.Errorf("an app whose name is the beginning of others: %+v, %v", none, err)
	}
}

func TestLogsAreBoundedAndFoundByCommit(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range maxLogs + 3 {
		commit := strconv.Itoa(i%2) + strings.Repeat("f", 39)
		if err := s.SaveLog(FailedLog{App: "shop", Revision: source.Revision{Commit: commit}, Reason: strconv.Itoa(i), Lines: []string{"a", "b"}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Logs("shop", "")
	if err != nil || len(all) != maxLogs || all[0].Reason != "22" || all[maxLogs-1].Reason != "3" {
		t.Fatalf("%d logs, %v", len(all), err)
	}
	one, err := s.Logs("shop", "1ff")
	if err != nil || len(one) != maxLogs/2 || one[0].Reason != "21" {
		t.Errorf("%d logs of one commit, %v", len(one), err)
	}
	if err := s.SaveLog(FailedLog{App: "shop", Lines: slices.Repeat([]string{strings.Repeat("x", 1023)}, 2000)}); err != nil {
		t.Fatal(err)
	}
	if all, err = s.Logs("shop", ""); err != nil || len(all[0].Lines) != maxLogBytes/1024 {
		t.Errorf("%d lines were kept, %v", len(all[0].Lines), err)
	}
}

func TestDeleteForgetsTheAppAndKeepsItsHistory(t *testing.T) {
	s := open(t, t.TempDir())
	for _, app := range []string{"shop", "blog"} {
		if _, err := s.SaveWith(Record{App: app, Dir: "d"}, Entry{App: app, Kind: "sync"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveLog(FailedLog{App: app}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete("shop"); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Record("shop"); err != nil || r.Dir != "" {
		t.Errorf("the record is still there: %+v, %v", r, err)
	}
	if logs, err := s.Logs("shop", ""); err != nil || len(logs) != 0 {
		t.Errorf("%d logs are still there, %v", len(logs), err)
	}
	if entries, err := s.History("shop", 0); err != nil || len(entries) != 1 {
		t.Errorf("%d entries of history, %v; want 1", len(entries), err)
	}
	if r, err := s.Record("blog"); err != nil || r.Dir != "d" {
		t.Errorf("another app was touched: %+v, %v", r, err)
	}
}

func TestHistoriesOfDeletedAppsAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	s.db.NoSync = true
	for i := range maxForgotten + 5 {
		app := "preview-" + strconv.Itoa(i)
		if _, err := s.Append(Entry{App: app}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(app); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range map[int]int{0: 0, 4: 0, 5: 1, maxForgotten + 4: 1} {
		if entries, err := s.History("preview-"+strconv.Itoa(i), 0); err != nil || len(entries) != want {
			t.Errorf("app %d has %d entries, %v; want %d", i, len(entries), err, want)
		}
	}
}

func TestNamesThatCannotBeKeysAreRejected(t *testing.T) {
	s := open(t, t.TempDir())
	for _, app := range []string{"", "a\x00b"} {
		_, read := s.Record(app)
		for doing, err := range map[string]error{"read": read, "save": s.Save(Record{App: app}), "log": s.SaveLog(FailedLog{App: app}), "delete": s.Delete(app)} {
			if fault.Of(err) != fault.Rejected {
				t.Errorf("%s %q: %v", doing, app, err)
			}
		}
	}
	if _, err := s.Append(Entry{App: "a\x00b"}); err == nil {
		t.Error("a history that could not be told from another's was begun")
	}
}

func TestStoredSetsAreSealed(t *testing.T) {
	s := open(t, t.TempDir())
	const secret = "hunter2-planted"
	r := Record{App: "shop", Halted: secret, Good: &Set{Objects: []resource.Object{{Spec: []byte(`{"env":["P=` + secret + `"]}`)}}}}
	if _, err := s.SaveWith(r, Entry{App: "shop", Reason: secret}); err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(s.SaveLog(FailedLog{App: "shop", Lines: []string{secret}}), s.SetMeta("m", secret)); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	if got, err := s.Record("shop"); err != nil || got.Halted != secret {
		t.Fatalf("not stored: %+v, %v", got, err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(s.dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds the secret in plain", entry.Name())
		}
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
