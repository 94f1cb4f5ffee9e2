package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"syncd.io/syncd/internal/fault"
)

// filled is a record with several apps, free pages and values of many pages; it
// returns the files of its directory.
func filled(t *testing.T) (db, key []byte) {
	t.Helper()
	s := open(t, t.TempDir())
	for i := range 40 {
		r := numbered(i)
		r.App = "app-" + strconv.Itoa(i%9)
		if _, err := s.SaveWith(r, Entry{App: r.App, Reason: strings.Repeat("r", 300)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete("app-3"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(s.dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	return contents(t, s), key
}

// laid writes a record's files into a new directory.
func laid(t *testing.T, db, key []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := errorsOf(os.WriteFile(filepath.Join(dir, "record.db"), db, 0o600), os.WriteFile(filepath.Join(dir, "key"), key, 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// healed opens a damaged directory: it must open, tell of every record that is
// lost, and work on.
func healed(t *testing.T, dir, what string) (records int, told string) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer s.Close()
	apps, err := s.Apps()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, app := range apps {
		r, err := s.Record(app)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		n, err := strconv.Atoi(r.Dir)
		want := numbered(n)
		want.App = app
		if err != nil || !reflect.DeepEqual(r, want) {
			t.Fatalf("%s: the record of %s was changed: %+v", what, app, r)
		}
		if _, err := s.History(app, 0); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	s.db.NoSync = true
	if _, err := s.SaveWith(numbered(77), Entry{App: "shop"}); err != nil {
		t.Fatalf("%s: save afterwards: %v", what, err)
	}
	return len(apps), s.Recovered()
}

func TestLocalCorruptionHealsWithoutAPerson(t *testing.T) {
	db, key := filled(t)
	if n, told := healed(t, laid(t, db, key), "sound"); n != 8 || told != "" {
		t.Fatalf("the sound record has %d apps and tells %q", n, told)
	}
	for name, data := range map[string][]byte{
		"cut in half": db[:len(db)/2], "cut by a byte": db[:len(db)-1], "one page": db[:4096], "a few bytes": db[:10], "zeros": make([]byte, len(db)),
		"text": []byte(strings.Repeat("not a database\n", 4000)), "doubled": append(bytes.Clone(db), db...),
	} {
		dir := laid(t, data, key)
		n, told := healed(t, dir, name)
		if n == 8 {
			continue // what was cut off was not in use
		}
		if !strings.Contains(told, "set aside as record.db.broken-") {
			t.Errorf("%s: %d apps, and it tells %q", name, n, told)
		}
		aside, err := filepath.Glob(filepath.Join(dir, "record.db.broken-*"))
		if err != nil || len(aside) != 1 {
			t.Fatalf("%s: set aside: %v, %v", name, aside, err)
		}
		if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, data) {
			t.Errorf("%s: what was set aside is not what was there (%v)", name, err)
		}
	}
}

// Flipped bits never kill the process, are never taken for data, and never
// lose a record without telling.
func TestFlippedBitsAreFoundAndTold(t *testing.T) {
	db, key := filled(t)
	count := 600
	if testing.Short() {
		count = 150
	}
	random := rand.New(rand.NewPCG(1, 2))
	offsets := make([]int, count)
	for i := range offsets {
		offsets[i] = random.IntN(len(db))
		if i%2 == 0 { // headers and elements matter most
			offsets[i] = offsets[i]/4096*4096 + random.IntN(64)
		}
	}
	found := 0
	for _, at := range offsets {
		flipped := bytes.Clone(db)
		flipped[at] ^= 1 << random.IntN(8)
		what := "bit at " + strconv.Itoa(at)
		n, told := healed(t, laid(t, flipped, key), what)
		if told != "" {
			found++
		}
		if n < 8 && told == "" && at >= 2*4096 { // a lost meta page is the transaction before
			t.Errorf("%s: %d of 8 records, and nothing is told", what, n)
		}
	}
	if found == 0 {
		t.Error("no flip was found: the test does not test")
	}
}

// Whatever bbolt writes is sound: a check that is too strict would throw away
// what is whole.
func TestVerifyAcceptsWhatBoltWrites(t *testing.T) {
	s := open(t, t.TempDir())
	s.db.NoSync = true
	random := rand.New(rand.NewPCG(3, 4))
	rounds := 200
	if testing.Short() {
		rounds = 50
	}
	for round := range rounds {
		if err := s.db.Update(func(tx *bbolt.Tx) error { return churn(tx, random) }); err != nil {
			t.Fatal(err)
		}
		data := contents(t, s)
		if err := verify(bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// churn writes and deletes runs of keys of all lengths, in buckets in buckets.
func churn(tx *bbolt.Tx, random *rand.Rand) error {
	b := tx.Bucket([]byte([]string{recordsBucket, logsBucket}[random.IntN(2)]))
	if random.IntN(3) == 0 {
		var err error
		if b, err = b.CreateBucketIfNotExists([]byte("nested")); err != nil {
			return err
		}
	}
	first, remove := random.IntN(3000), random.IntN(2) == 0
	for i := range random.IntN(200) {
		key := []byte(fmt.Sprintf("%05d%s", first+i, strings.Repeat("k", (first+i)%90)))
		var err error
		if remove {
			err = b.Delete(key)
		} else {
			err = b.Put(key, make([]byte, random.IntN(600)*random.IntN(20)/(1+random.IntN(19))))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestRepeatedDamageDoesNotFillTheDisk(t *testing.T) {
	dir := t.TempDir()
	for range keepBroken + 3 {
		if err := os.WriteFile(filepath.Join(dir, "record.db"), []byte("junk"), 0o600); err != nil {
			t.Fatal(err)
		}
		healed(t, dir, "junk")
	}
	if aside, err := filepath.Glob(filepath.Join(dir, "record.db.broken-*")); err != nil || len(aside) != keepBroken {
		t.Errorf("%d files were kept, %v; want %d", len(aside), err, keepBroken)
	}
}

// Whoever remembers an ID of the lost history has none twice, and a person is told,
// wherever the agent was killed on its way.
func TestAnAgentThatIsKilledWhileItBeginsAnewCountsOnAndTells(t *testing.T) {
	db, key := filled(t)
	for name, killed := range map[string]func(path string) error{
		"before anything was moved":  func(path string) error { return os.WriteFile(path+".new", db[:9], 0o600) },
		"before the new one came":    func(path string) error { return errorsOf(setAside(path), os.WriteFile(path+".new", nil, 0o600)) },
		"while it was made in place": func(path string) error { return errorsOf(setAside(path), os.WriteFile(path, nil, 0o600)) },
		"before it counted on":       func(path string) error { return errorsOf(setAside(path), unnumbered(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := laid(t, db[:len(db)/2], key)
			ok(t, killed(filepath.Join(dir, "record.db")))
			s := open(t, dir)
			if last, err := s.Last(); err != nil || last < 1_700_000_000 || !strings.Contains(s.Recovered(), "record.db.broken-") {
				t.Errorf("it counts on after %d, %v, and tells %q", last, err, s.Recovered())
			}
			if _, err := s.SaveWith(numbered(1), Entry{App: "shop"}); err != nil {
				t.Fatal(err)
			}
			s = reopen(t, s)
			if r, err := s.Record("shop"); err != nil || r.Dir != "1" || s.Recovered() != "" {
				t.Errorf("the next one finds %q, %v, and tells %q", r.Dir, err, s.Recovered())
			}
			if there := strings.Fields(names(t, dir)); len(there) != 3 { // the key, the record, the damaged one
				t.Errorf("there are %v", there)
			}
		})
	}
}

// unnumbered is a new database without any ID.
func unnumbered(path string) error {
	db, err := openBolt(path)
	if err != nil {
		return err
	}
	return db.Close()
}

func TestADamagedKeyLosesTheRecordAndNotTheAgent(t *testing.T) {
	db, key := filled(t)
	wrong := bytes.Clone(key)
	wrong[0] ^= 1
	for name, other := range map[string][]byte{"wrong": wrong, "short": key[:7], "empty": {}} {
		dir := laid(t, db, other)
		n, told := healed(t, dir, name)
		if n != 0 || strings.Count(told, "the app is treated as new") != 8 || !strings.Contains(told, `the record of "app-4": it cannot be opened`) {
			t.Errorf("%s: %d records, told:\n%s", name, n, told)
		}
		if again, told := healed(t, dir, name+", again"); again != 1 || told != "" {
			t.Errorf("%s: opened again: %d records, told %q", name, again, told)
		}
	}
}

// What was set aside comes back with its key, whatever was learnt meanwhile; that is set
// aside in turn. An app that was removed stays so.
func TestWhatWasSetAsideComesBackWithItsKey(t *testing.T) {
	db, key := filled(t)
	wrong := bytes.Clone(key)
	wrong[0] ^= 1
	dir := laid(t, db, wrong)
	as := func(key []byte) *Store {
		t.Helper()
		ok(t, os.WriteFile(filepath.Join(dir, "key"), key, 0o600))
		return open(t, dir)
	}
	s := as(wrong)
	ok(t, errorsOf(s.Save(Record{App: "app-4", Dir: "learnt"}), s.Delete("app-5"), s.Close()))
	for round := range 3 {
		s = as(key)
		if told := s.Recovered(); !strings.Contains(told, `the record of "app-4": it opens with this key, and is put back`) || strings.Contains(told, "treated as new") {
			t.Errorf("round %d: told %q", round, told)
		}
		if apps, err := s.Apps(); err != nil || strings.Join(apps, " ") != "app-0 app-1 app-2 app-4 app-6 app-7 app-8" {
			t.Errorf("round %d: the apps are %v, %v", round, apps, err)
		}
		want := numbered(31)
		want.App = "app-4"
		if r, err := s.Record("app-4"); err != nil || !reflect.DeepEqual(r, want) {
			t.Errorf("round %d: its record is of %s, %v", round, r.Dir, err)
		}
		s = reopen(t, s)
		if told := s.Recovered(); told != "" {
			t.Errorf("round %d: told again: %q", round, told)
		}
		ok(t, s.Close())
		s = as(wrong)
		if r, err := s.Record("app-4"); err != nil || r.Dir != "learnt" {
			t.Errorf("round %d: with the other key it is of %q, %v", round, r.Dir, err)
		}
		ok(t, s.Close())
	}
}

// Of one app some of what cannot be opened is kept: the newest, and what a release
// before this one has set aside.
func TestOnlySomeOfWhatCannotBeOpenedIsKept(t *testing.T) {
	dir := t.TempDir()
	first := make([]byte, keySize)
	as := func(n byte) *Store {
		t.Helper()
		ok(t, os.WriteFile(filepath.Join(dir, "key"), append([]byte{n}, first[1:]...), 0o600))
		return open(t, dir)
	}
	for n := range byte(keepBroken + 3) {
		s := as(n)
		ok(t, s.Save(numbered(int(n))))
		if n == 0 { // as it was set aside before
			ok(t, s.db.Update(func(tx *bbolt.Tx) error {
				records := tx.Bucket([]byte(recordsBucket))
				return errorsOf(tx.Bucket([]byte(brokenBucket)).Put([]byte("shop"), bytes.Clone(records.Get([]byte("shop")))), records.Delete([]byte("shop")))
			}))
		}
		ok(t, s.Close())
	}
	for _, n := range []byte{4, 0, 1, 5} {
		s, want := as(n), strconv.Itoa(int(n))
		if n == 1 {
			want = "" // the oldest of more than are kept
		}
		if r, err := s.Record("shop"); err != nil || r.Dir != want {
			t.Errorf("with key %d it is of %q, %v; want %q", n, r.Dir, err, want)
		}
		ok(t, s.db.View(func(tx *bbolt.Tx) error {
			if kept := tx.Bucket([]byte(brokenBucket)).Stats().KeyN; kept > keepBroken+1 {
				t.Errorf("with key %d %d are kept", n, kept)
			}
			return nil
		}))
		ok(t, s.Close())
	}
}

// A key of the wrong length is replaced or stays: a record without any would not open.
func TestADamagedKeyOnAFullDiskStays(t *testing.T) {
	disk, may := small(t)
	if !may {
		if testing.Short() {
			t.Skip("needs the right to mount")
		}
		t.Fatal("needs the right to mount (or run with -short)")
	}
	db, key := filled(t)
	dir := filepath.Join(disk, "state")
	ok(t, open(t, dir).Close())
	ok(t, errorsOf(os.WriteFile(filepath.Join(dir, "record.db"), db, 0o600), os.WriteFile(filepath.Join(dir, "key"), key[:7], 0o600)))
	weight := ballast(t, disk)
	for range 2 {
		_, err := Open(dir)
		fullDisk(t, err)
	}
	if there := names(t, dir); there != "key record.db" {
		t.Errorf("there are %s", there)
	}
	ok(t, os.Remove(weight))
	n, told := healed(t, dir, "with space again")
	kept, err := filepath.Glob(filepath.Join(dir, "key.broken-*"))
	if n != 0 || !strings.Contains(told, "set aside as key.broken-") || err != nil || len(kept) != 1 || string(must(os.ReadFile(kept[0]))) != string(key[:7]) {
		t.Errorf("%d records, told %q; set aside: %v, %v", n, told, kept, err)
	}
}

// A key that lies on a disk which is not there yet is no reason for a new one:
// with it would go all that is sealed, and who this agent is.
func TestAMissingKeyIsWaitedFor(t *testing.T) {
	db, key := filled(t)
	dir := laid(t, db, key)
	path := filepath.Join(dir, "key")
	ok(t, os.Remove(path))
	notOpened(t, dir, "has no key")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a new key was made: %v", err)
	}
	ok(t, os.WriteFile(path, key, 0o600))
	if n, told := healed(t, dir, "the key is back"); n != 8 || told != "" {
		t.Errorf("%d records, told %q", n, told)
	}
	for name, data := range map[string][]byte{"nothing is sealed": nil, "what was sealed is damaged": db[:len(db)/2]} {
		dir := laid(t, data, key)
		ok(t, os.Remove(filepath.Join(dir, "key")))
		if n, _ := healed(t, dir, name); n != 0 {
			t.Errorf("%s: %d records", name, n)
		}
	}
}

// notOpened fails the test unless dir cannot be opened now, with a hint, and all of
// it is left as it was.
func notOpened(t *testing.T, dir, why string) {
	t.Helper()
	before := names(t, dir)
	s, err := Open(dir)
	if err == nil {
		s.Close() //nolint:errcheck // the test has failed
		t.Fatalf("opened, and told %q", s.Recovered())
	}
	if fault.Of(err) != fault.Blocked || fault.Advice(err) == "" || !strings.Contains(err.Error(), why) {
		t.Errorf("%v (class %s, hint %q), want blocked: %s", err, fault.Of(err), fault.Advice(err), why)
	}
	if after := names(t, dir); after != before {
		t.Errorf("there are %s, and were %s", after, before)
	}
}

// names are the files of dir, but for the lock.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	var out []string
	for _, e := range entries {
		if e.Name() != "lock" {
			out = append(out, e.Name())
		}
	}
	return strings.Join(out, " ")
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A disk that does not answer and a file that somebody else has open say nothing
// of what is in it.
func TestOnlyProvenDamageIsSetAside(t *testing.T) {
	db, key := filled(t)
	t.Run("somebody holds it", func(t *testing.T) {
		dir := laid(t, db, key)
		f, err := os.Open(filepath.Join(dir, "record.db"))
		ok(t, err)
		ok(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		notOpened(t, dir, "open record")
		ok(t, f.Close())
		if n, told := healed(t, dir, "let go"); n != 8 || told != "" {
			t.Errorf("%d records, told %q", n, told)
		}
	})
	t.Run("it cannot be read", func(t *testing.T) {
		dir := laid(t, db, key)
		path := filepath.Join(dir, "record.db")
		ok(t, os.Rename(path, path+".moved"))
		ok(t, os.Mkdir(path, 0o700))
		notOpened(t, dir, "is a directory")
	})
	for _, err := range []error{syscall.EIO, syscall.ENOMEM, berrors.ErrTimeout, fmt.Errorf("sync: %w", syscall.EIO)} {
		if damaged(err) {
			t.Errorf("%v is taken for damage", err)
		}
	}
	for at := range len(db) / 4096 {
		damage, err := inspect(failing{bytes.NewReader(db), int64(at) * 4096}, int64(len(db)))
		if damage != nil || err != nil && !errors.Is(err, syscall.EIO) || at == 0 && err == nil {
			t.Errorf("page %d cannot be read: told as %v, %v", at, damage, err)
		}
	}
}

// failing is a disk with one bad page.
type failing struct {
	io.ReaderAt
	bad int64
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at <= f.bad && f.bad < at+int64(len(p)) {
		return 0, syscall.EIO
	}
	return f.ReaderAt.ReadAt(p, at)
}

// A value that someone moved to another app's place does not open there.
func TestSealedValuesAreBoundToTheirPlace(t *testing.T) {
	s, err := newSealer(make([]byte, keySize))
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.close([]byte("x"), place(recordsBucket, []byte("a")))
	if plain, err := s.open(sealed, place(recordsBucket, []byte("a"))); err != nil || string(plain) != "x" {
		t.Errorf("%q, %v", plain, err)
	}
	for name, bad := range map[string][]byte{"moved": nil, "empty": {}, "cut": sealed[:5], "version": append([]byte{9}, sealed[1:]...)} {
		at := "a"
		if name == "moved" {
			bad, at = sealed, "b"
		}
		if _, err := s.open(bad, place(recordsBucket, []byte(at))); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if bytes.Equal(sealed, s.close([]byte("x"), place(recordsBucket, []byte("a")))) {
		t.Error("the same value twice gives the same bytes")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(uint32(0), uint64(0))
	f.Add(uint32(4096*3+8), uint64(1))
	var db []byte
	f.Fuzz(func(t *testing.T, at uint32, xor uint64) {
		if db == nil {
			db, _ = filled(t)
		}
		data := bytes.Clone(db)
		for i := range 8 {
			data[(int(at)+i)%len(data)] ^= byte(xor >> (8 * i))
		}
		// no panic, no endless work, and no blame of what was not touched
		if err := verify(bytes.NewReader(data), int64(len(data))); err != nil && bytes.Equal(data, db) {
			t.Error(err)
		}
	})
}
