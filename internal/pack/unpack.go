package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// What lies below the directory of packs.
const (
	bundlesDir   = "bundles"
	receiptsDir  = "receipts"
	lockName     = "lock"
	latestName   = "latest.json"
	incomingName = "incoming-"
)

// maxName is how much of a pack's name is shown, in bytes.
const maxName = 255

// Inbox takes packs. Its fields are set once, before its methods are called.
type Inbox struct {
	// Dir is the directory below the state directory where all of packs is kept.
	Dir string
	// Limit is how long a pack may be, in bytes.
	Limit int64
	// Verify accepts signatures.
	Verify Verify
	// Images takes over images; nil refuses packs that bring some.
	Images Loader
	// Host is named in receipts.
	Host string
	// Now is the clock of receipts.
	Now func() time.Time
}

// Outcome is what became of a pack.
type Outcome string

// The outcomes.
const (
	// Unpacked: what it brought is there now.
	Unpacked Outcome = "unpacked"
	// Known: it had been unpacked before.
	Known Outcome = "known"
	// Stale: one that comes later has been unpacked. Of this one only the history was
	// taken, which the later one may build on.
	Stale Outcome = "stale"
)

// Taken is what became of a pack, and what the host has since.
type Taken struct {
	Outcome Outcome `json:"outcome"`
	Receipt Receipt `json:"receipt"`
	// Images is how many images it brought, or told of.
	Images int `json:"images"`
	// Why says more about one that is stale.
	Why string `json:"why,omitempty"`
}

// BundlesDir is where a repository finds the bundles of the packs that an inbox in
// dir took: bundle://BundlesDir.
func BundlesDir(dir string) string { return filepath.Join(dir, bundlesDir) }

// Take checks a pack whole, and then takes what it brings: images first, the bundle
// last, so that nobody follows a revision whose images are not there. Whatever ends
// it, doing it again goes on from there. Errors: Rejected for a pack that is not
// accepted, of which nothing was used; ErrIncomplete is in the chain where it may not
// be whole yet; Unreachable where the engine, a registry or the disk is to blame;
// Blocked where somebody else unpacks.
func (in *Inbox) Take(ctx context.Context, file string) (Taken, error) {
	return in.takeFrom(ctx, filepath.Base(file), func() (*os.File, error) { return os.OpenFile(file, readable, 0) })
}

// takeFrom is Take for the file that open opens.
func (in *Inbox) takeFrom(ctx context.Context, name string, open func() (*os.File, error)) (Taken, error) {
	if err := os.MkdirAll(filepath.Join(in.Dir, receiptsDir), 0o700); err != nil {
		return Taken{}, fmt.Errorf("make the directory of packs: %w", err)
	}
	unlock, err := in.lock()
	if err != nil {
		return Taken{}, err
	}
	defer unlock()
	taken, err := in.takeOne(ctx, open)
	if err != nil {
		return Taken{}, fmt.Errorf("pack %s: %w", resource.Harmless(name, maxName), err)
	}
	return taken, nil
}

func (in *Inbox) takeOne(ctx context.Context, open func() (*os.File, error)) (Taken, error) {
	f, err := open()
	if err != nil {
		return Taken{}, err
	}
	p, err := openFile(f, in.Limit, in.Verify)
	if err != nil {
		return Taken{}, err
	}
	defer p.Close()
	return in.take(ctx, p)
}

// lock keeps others from unpacking here meanwhile: the agent, or a person.
func (in *Inbox) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(in.Dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the directory of packs: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		err = fault.As(fault.Blocked, errors.Join(fmt.Errorf("lock the directory of packs %s: %w", in.Dir, err), f.Close()))
		return nil, fault.Hint(err, "a pack is being unpacked there already; wait until that is done")
	}
	return func() { f.Close() }, nil //nolint:errcheck // nothing was written
}

func (in *Inbox) take(ctx context.Context, p *Pack) (Taken, error) {
	last, err := in.Latest()
	if err != nil {
		return Taken{}, err
	}
	taken := Taken{Outcome: Unpacked, Images: len(p.Manifest.Images), Receipt: last}
	if taken.Why, err = in.older(p, last); err != nil {
		return Taken{}, err
	}
	switch {
	case last.Pack == p.ID && in.stillThere(ctx, p):
		taken.Outcome = Known
		return taken, in.filed(p, last)
	case taken.Why != "":
		taken.Outcome = Stale
		return taken, in.fillGap(ctx, p, last)
	case in.Images == nil && len(p.Manifest.Images) > 0:
		return Taken{}, broken("it brings images, and there is nothing here to take them")
	}
	if err := in.ready(ctx, p.Manifest); err != nil {
		return Taken{}, err
	}
	if err := p.Check(ctx); err != nil {
		return Taken{}, err
	}
	if err := in.images(ctx, p); err != nil {
		return Taken{}, err
	}
	if err := in.bundle(ctx, p); err != nil {
		return Taken{}, err
	}
	if taken.Receipt, err = in.receipt(ctx, p, last); err != nil {
		return Taken{}, err
	}
	return taken, in.conclude(p, last, taken.Receipt)
}

// conclude notes that a pack was unpacked after the one of last. The latest receipt
// counts: what ends this before it is written has the pack unpacked again, and what
// ends it later loses nothing.
func (in *Inbox) conclude(p *Pack, last, now Receipt) error {
	if err := in.remember(p, last); err != nil {
		return disk(err)
	}
	if err := now.Save(filepath.Join(in.Dir, receiptsDir, latestName)); err != nil {
		return disk(err)
	}
	return in.file(p, now)
}

// file puts a pack's receipt with the others.
func (in *Inbox) file(p *Pack, r Receipt) error {
	return disk(r.Save(filepath.Join(in.Dir, receiptsDir, fmt.Sprintf("%08d-%s.json", r.Number, p.short()))))
}

// filed does that for the pack that was unpacked last, where it has not been done.
func (in *Inbox) filed(p *Pack, last Receipt) error {
	if took, err := in.took(p); took || err != nil {
		return err
	}
	return in.file(p, last)
}

// workplace is an empty directory; those that were left behind are removed.
func (in *Inbox) workplace() (string, error) {
	old, err := filepath.Glob(filepath.Join(in.Dir, incomingName+"*"))
	for _, dir := range old {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return "", disk(err)
	}
	dir, err := os.MkdirTemp(in.Dir, incomingName)
	return dir, disk(err)
}

// disk is for an error that no pack is to blame for.
func disk(err error) error {
	if err == nil || fault.Of(err) != fault.Unknown {
		return err
	}
	return fault.Hint(fault.As(fault.Unreachable, err), "see whether the disk of the state directory is full: df -h")
}

// receipt is what says what is here now, after the pack of last.
func (in *Inbox) receipt(ctx context.Context, p *Pack, last Receipt) (Receipt, error) {
	r := Receipt{
		Version: version, Pack: p.ID, Number: last.Number + 1, Made: p.Manifest.Made, Signer: p.Signer,
		Host: in.Host, At: in.Now().UTC(), Commit: p.Manifest.To, Since: p.Manifest.Since,
	}
	if p.ID == last.Pack { // it brought what was lost
		r.Number = last.Number
	}
	if in.Images != nil {
		held, err := in.Images.Held(ctx)
		if err != nil {
			return Receipt{}, fmt.Errorf("list the images' parts: %w", err)
		}
		slices.Sort(held)
		r.Blobs = slices.Compact(held)
	}
	return r, nil
}

// Latest is the receipt of the pack that was unpacked last; the zero value where
// there was none. One that is damaged heals with the next pack: until then the newest
// of the others counts. Errors: Unreachable where the disk does not give it.
func (in *Inbox) Latest() (Receipt, error) {
	r, damaged, err := in.kept(latestName)
	if err != nil || !damaged {
		return r, err
	}
	all, err := filepath.Glob(filepath.Join(in.Dir, receiptsDir, "[0-9]*.json"))
	if err != nil {
		return Receipt{}, err
	}
	var newest Receipt
	for _, file := range all {
		r, _, err := in.kept(filepath.Base(file))
		if err != nil {
			return Receipt{}, err
		}
		if newest.Pack == "" || r.after(newest) {
			newest = r
		}
	}
	return newest, nil
}

// mark is another one after each pack that was unpacked.
func (in *Inbox) mark() stamp {
	info, err := os.Stat(filepath.Join(in.Dir, receiptsDir, latestName))
	if err != nil {
		return stamp{}
	}
	return stampOf(info)
}

// kept is one of the receipts that are kept here; the zero value where there is none,
// and where it is damaged.
func (in *Inbox) kept(name string) (r Receipt, damaged bool, err error) {
	file := filepath.Join(in.Dir, receiptsDir, name)
	r, err = ReadReceipt(file)
	switch unread := new(fs.PathError); {
	case errors.Is(err, fs.ErrNotExist):
		return Receipt{}, false, nil
	case errors.As(err, &unread):
		return Receipt{}, false, notRead(file, err)
	}
	return r, err != nil, nil
}

// notRead is the error for a note of this host that its disk does not give.
func notRead(file string, err error) error {
	return fault.Hint(fault.As(fault.Unreachable, err), "see that syncd may read "+file+", and to the disk that it is on")
}
