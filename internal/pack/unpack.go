package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// What lies below the directory of packs.
const (
	bundlesDir   = "bundles"
	receiptsDir  = "receipts"
	lockName     = "lock"
	latestName   = "latest.json"
	incomingName = "incoming-"
)

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
	// Stale: one that was made later has been unpacked. Of this one only the history
	// was taken, which the later one may build on.
	Stale Outcome = "stale"
)

// Taken is what became of a pack, and what the host has since.
type Taken struct {
	Outcome Outcome `json:"outcome"`
	Receipt Receipt `json:"receipt"`
	// Images is how many images it brought, or told of.
	Images int `json:"images"`
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
	if err := os.MkdirAll(filepath.Join(in.Dir, receiptsDir), 0o700); err != nil {
		return Taken{}, fmt.Errorf("make the directory of packs: %w", err)
	}
	unlock, err := in.lock()
	if err != nil {
		return Taken{}, err
	}
	defer unlock()
	p, err := Open(file, in.Limit, in.Verify)
	if err != nil {
		return Taken{}, fmt.Errorf("pack %s: %w", filepath.Base(file), err)
	}
	defer p.Close()
	taken, err := in.take(ctx, p)
	if err != nil {
		return Taken{}, fmt.Errorf("pack %s: %w", filepath.Base(file), err)
	}
	return taken, nil
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
	switch {
	case last.Pack == p.ID && in.stillThere(ctx, p):
		taken.Outcome = Known
		return taken, nil
	case p.Manifest.Made.Before(last.Made):
		taken.Outcome = Stale
		return taken, in.fillGap(ctx, p, last)
	case in.Images == nil && len(p.Manifest.Images) > 0:
		return Taken{}, broken("it brings images, and there is nothing here to take them")
	}
	if err := p.Check(ctx); err != nil {
		return Taken{}, err
	}
	if missing, err := in.lacks(ctx, p.Manifest, true); err != nil || missing != "" {
		return Taken{}, errors.Join(err, leftOut(missing))
	}
	if err := in.images(ctx, p); err != nil {
		return Taken{}, err
	}
	if err := in.bundle(ctx, p); err != nil {
		return Taken{}, err
	}
	taken.Receipt, err = in.receipt(ctx, p)
	return taken, err
}

// bundleFile is where a pack's bundle is kept; the names sort by time.
func (in *Inbox) bundleFile(m Manifest) string {
	return filepath.Join(in.Dir, bundlesDir, m.Made.UTC().Format("20060102T150405.000000000Z")+"-"+m.To[:10]+".bundle")
}

// stillThere tells whether what a pack brought that was unpacked last is there.
func (in *Inbox) stillThere(ctx context.Context, p *Pack) bool {
	if missing, err := in.lacks(ctx, p.Manifest, false); err != nil || missing != "" {
		return false
	}
	if !p.Manifest.has(BundleName) {
		return true
	}
	_, err := os.Stat(in.bundleFile(p.Manifest))
	return err == nil
}

// lacks returns a part of an image that is not here, nor, where that counts, in the
// pack; empty where all are.
func (in *Inbox) lacks(ctx context.Context, m Manifest, packed bool) (string, error) {
	if in.Images == nil || len(m.Images) == 0 {
		return "", nil
	}
	held, err := in.Images.Held(ctx)
	if err != nil {
		return "", fmt.Errorf("list the images' parts: %w", err)
	}
	here := map[string]bool{}
	for _, digest := range held {
		here[digest] = true
	}
	for _, member := range m.Members {
		here["sha256:"+member.SHA256] = here["sha256:"+member.SHA256] || packed
	}
	for _, image := range m.Images {
		for _, digest := range image.Blobs {
			if !here[digest] {
				return image.Name + " " + digest, nil
			}
		}
	}
	return "", nil
}

// errAhead is in the chain of an error about a pack that comes before one that it
// builds on, or without it.
var errAhead = errors.New("")

// leftOut is the error for a pack that was made for a host that has more.
func leftOut(missing string) error {
	if missing == "" {
		return nil
	}
	err := fault.As(fault.Rejected, fmt.Errorf("it leaves out a part of an image that is not here: %s%w", missing, errAhead))
	return fault.Hint(err, "have it made with the newest receipt of this host (syncd pack --receipt FILE), or with none")
}

// images hands the pack's layout to who takes images.
func (in *Inbox) images(ctx context.Context, p *Pack) (err error) {
	if len(p.Manifest.Images) == 0 {
		return nil
	}
	dir, err := in.workplace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, m := range p.Manifest.Members {
		if !strings.HasPrefix(m.Name, LayoutName+"/") {
			continue
		}
		if err := extract(ctx, p, m.Name, filepath.Join(dir, filepath.FromSlash(m.Name))); err != nil {
			return err
		}
	}
	return in.Images.Load(ctx, filepath.Join(dir, LayoutName), p.Manifest.Images)
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

// fillGap takes the bundle of a pack that came too late, where the pack that came
// before it does not have all history.
func (in *Inbox) fillGap(ctx context.Context, p *Pack, last Receipt) error {
	if len(last.Since) == 0 {
		return nil
	}
	if err := p.Check(ctx); err != nil {
		return err
	}
	return in.bundle(ctx, p)
}

// extract writes one member to a new file; the names of members are all known.
func extract(ctx context.Context, p *Pack, name, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return disk(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return disk(err)
	}
	if err := p.Copy(ctx, f, name); err != nil {
		return errors.Join(disk(err), f.Close())
	}
	return disk(errors.Join(f.Sync(), f.Close()))
}

// bundle puts the pack's bundle where the repository finds it. Bundles that came
// before one with all history are not needed any more.
func (in *Inbox) bundle(ctx context.Context, p *Pack) error {
	if !p.Manifest.has(BundleName) {
		return nil
	}
	place := in.bundleFile(p.Manifest)
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return disk(err)
	}
	temp := filepath.Join(filepath.Dir(place), "."+filepath.Base(place))
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk(err)
	}
	if err := extract(ctx, p, BundleName, temp); err != nil {
		return err
	}
	// where histories went apart, the newest bundle counts
	if err := os.Chtimes(temp, p.Manifest.Made, p.Manifest.Made); err != nil {
		return disk(err)
	}
	if err := os.Rename(temp, place); err != nil {
		return disk(err)
	}
	if err := durable.SyncDir(filepath.Dir(place)); err != nil {
		return disk(err)
	}
	if len(p.Manifest.Since) > 0 {
		return nil
	}
	return in.dropBefore(place)
}

func (in *Inbox) dropBefore(place string) error {
	all, err := filepath.Glob(filepath.Join(in.Dir, bundlesDir, "*.bundle"))
	if err != nil {
		return err
	}
	for _, file := range all {
		if path.Base(file) < path.Base(place) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return disk(err)
}

// receipt says what is here now.
func (in *Inbox) receipt(ctx context.Context, p *Pack) (Receipt, error) {
	r := Receipt{
		Version: version, Pack: p.ID, Made: p.Manifest.Made, Signer: p.Signer,
		Host: in.Host, At: in.Now().UTC(), Commit: p.Manifest.To, Since: p.Manifest.Since,
	}
	if in.Images != nil {
		held, err := in.Images.Held(ctx)
		if err != nil {
			return Receipt{}, fmt.Errorf("list the images' parts: %w", err)
		}
		slices.Sort(held)
		r.Blobs = slices.Compact(held)
	}
	name := r.Made.UTC().Format("20060102T150405Z") + "-" + r.Commit[:10] + ".json"
	if err := r.Save(filepath.Join(in.Dir, receiptsDir, name)); err != nil {
		return Receipt{}, disk(err)
	}
	return r, disk(r.Save(filepath.Join(in.Dir, receiptsDir, latestName)))
}

// Latest is the receipt of the pack that was unpacked last; the zero value where
// there was none.
func (in *Inbox) Latest() (Receipt, error) {
	file := filepath.Join(in.Dir, receiptsDir, latestName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return Receipt{}, nil
	}
	r, err := ReadReceipt(file)
	if err == nil {
		return r, nil
	}
	all, listed := filepath.Glob(filepath.Join(in.Dir, receiptsDir, "2*.json"))
	slices.Sort(all)
	for _, file := range slices.Backward(all) { // it heals with the next pack
		if r, err := ReadReceipt(file); err == nil {
			return r, nil
		}
	}
	return Receipt{}, errors.Join(err, listed)
}
