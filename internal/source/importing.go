package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source/bundle"
)

// ImportOp is the child's operation that takes bundles in: ImportRequest ->
// ImportAnswer.
const ImportOp = "import"

// importTogether lets the child take in files at once, of which some are taken in
// already. Where that does not end well, each is tried alone, so that one cannot keep
// out the others. A bundle is broken only where it is to blame itself: what the machine
// is to blame for, such as a full disk, is an error, and is tried again.
func (b *bundles) importTogether(ctx context.Context, store string, paths []string, taken map[string][]bundle.Ref) (ImportAnswer, error) {
	answer, err := b.ask(ctx, store, paths, taken)
	if err == nil || ctx.Err() != nil {
		return answer, err
	}
	bad := map[string]BundleState{}
	for _, path := range paths {
		if _, known := taken[path]; known {
			continue
		}
		_, err := b.ask(ctx, store, []string{path}, nil)
		switch {
		case ctx.Err() != nil:
			return answer, context.Cause(ctx)
		case fault.Of(err) == fault.Rejected:
			bad[path] = BundleState{File: path, State: BundleBroken, Reason: resource.Harmless(err.Error(), maxReason)}
		case err != nil:
			return answer, fmt.Errorf("take in %s: %w", resource.Harmless(filepath.Base(path), 120), err)
		}
	}
	usable := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return bad[path].File != "" })
	if answer, err = b.ask(ctx, store, usable, taken); err != nil || answer.Damaged != "" {
		return answer, err
	}
	for i, path := range paths {
		if s, ok := bad[path]; ok {
			answer.Bundles = slices.Insert(answer.Bundles, i, s)
		}
	}
	return answer, nil
}

// maxReason bounds what is said about a bundle, in bytes.
const maxReason = 300

func (b *bundles) ask(ctx context.Context, store string, paths []string, taken map[string][]bundle.Ref) (ImportAnswer, error) {
	answer, err := b.take(ctx, ImportRequest{Store: store, Files: paths, Taken: taken, Keep: store == b.store && b.readers.Load() > 0})
	if err == nil && answer.Damaged == "" && len(answer.Bundles) != len(paths) {
		err = fault.As(fault.Unreachable, errors.New("the answer does not tell of each bundle"))
	}
	for i := range answer.Bundles { // the child is not believed
		s := &answer.Bundles[i]
		s.Reason = resource.Harmless(s.Reason, maxReason)
		if err == nil && s.File != paths[i] {
			err = fault.As(fault.Unreachable, errors.New("the answer tells of another bundle"))
		}
	}
	return answer, err
}

// anew makes the repository once more from the bundles that are there. One that only
// may be damaged is kept where that gives less.
func (b *bundles) anew(ctx context.Context, files []bundle.File, old ImportAnswer) (ImportAnswer, error) {
	fresh := b.store + freshSuffix
	if err := os.RemoveAll(fresh); err != nil {
		return old, fmt.Errorf("make the repository of bundles anew: %w", err)
	}
	b.doubt = false
	answer, err := b.importAll(ctx, fresh, files, nil)
	if err == nil && answer.Damaged != "" {
		err = fault.As(fault.Unreachable, errors.New(answer.Damaged))
	}
	if err != nil || old.Damaged == "" && counting(answer.Bundles) < counting(old.Bundles) {
		return old, errors.Join(err, os.RemoveAll(fresh))
	}
	err = errors.Join(os.RemoveAll(b.store), os.Rename(fresh, b.store))
	if err == nil {
		err = durable.SyncDir(filepath.Dir(b.store))
	}
	return answer, err
}

func counting(states []BundleState) int {
	n := 0
	for _, s := range states {
		if s.Counts() {
			n++
		}
	}
	return n
}

// suspect lets the repository be made anew at the next look: an object of it could
// not be read.
func (b *bundles) suspect(ctx context.Context) {
	if leave, err := b.enter(ctx); err == nil {
		b.doubt = true
		leave()
	}
}

// importBundles runs the child for bundles.
func (o *origin) importBundles(ctx context.Context, req ImportRequest) (ImportAnswer, error) {
	req.Limits = limitsOf(o.opts.Limits)
	limits := o.bounds(o.opts.Limits.FetchTime.D(), "limits.fetchTime")
	limits.TimeoutClass = fault.Rejected // no network is to blame
	limits.Output = 64 << 20
	var answer ImportAnswer
	err := o.opts.Child.Call(ctx, ImportOp, req, &answer, limits)
	return answer, err
}
