package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source/bundle"
	"syncd.io/syncd/internal/source/remote"
)

// bundlesDir is the directory below the cache that holds, for each path of bundles,
// the repository that they are taken into.
const bundlesDir = "bundles"

// freshSuffix ends the name of a repository that is made anew beside the old one.
const freshSuffix = ".new"

// bundles are the bundles at one path, and the repository that they are taken into:
// whatever has counted once stays there, also when its file is gone.
type bundles struct {
	// path is a bundle or a directory of them; store is that repository.
	path, store string
	// take runs the child.
	take func(context.Context, ImportRequest) (ImportAnswer, error)
	now  func() time.Time
	// turn is held by who looks at the files; it guards what follows.
	turn   chan struct{}
	files  []bundle.File // as they were when they were looked at last
	states []BundleState
	refs   []BundleRef
	// taken are what bundles brought that were taken in.
	taken  map[bundle.File][]bundle.Ref
	failed error // why they could not be looked at; nil where they could
	// doubt tells that the repository was found damaged.
	doubt bool
	// readers are the children that read the repository, or are about to.
	readers atomic.Int64
	// said are the states as they are told to whoever asks meanwhile.
	said atomic.Pointer[[]BundleState]
}

func newBundles(path, store string, take func(context.Context, ImportRequest) (ImportAnswer, error), now func() time.Time) *bundles {
	return &bundles{path: path, store: store, take: take, now: now, turn: make(chan struct{}, 1)}
}

// enter waits for the turn.
func (b *bundles) enter(ctx context.Context) (leave func(), err error) {
	select {
	case b.turn <- struct{}{}:
		return func() { <-b.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another look at the bundles: %w", context.Cause(ctx))
	}
}

// query looks for a ref in all bundles that count. Files that have not changed since
// the last time cost no more than asking for their sizes.
func (b *bundles) query(ctx context.Context, want remote.Want) (remote.Found, error) {
	leave, err := b.enter(ctx)
	if err != nil {
		return remote.Found{}, err
	}
	defer leave()
	if err := b.refresh(ctx); err != nil {
		return remote.Found{}, err
	}
	if counting(b.states) == 0 {
		return remote.Found{}, b.none()
	}
	found, err := remote.Pick(advertised(b.refs), want)
	if err != nil && counting(b.states) < len(b.states) {
		return found, fault.As(fault.Unreachable, fmt.Errorf("%w so far: %s", err, b.trouble()))
	}
	return found, err
}

// ready has in the repository what the bundles bring, as far as it can be had now.
func (b *bundles) ready(ctx context.Context) error {
	leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = b.refresh(ctx)
	if _, missing := os.Stat(b.store); missing == nil { // what has counted once is there
		return nil
	}
	return err
}

// reading has all stay in the origin's repository of bundles that a child may be reading,
// until done is called. Whoever reads calls it before spec.
func (o *origin) reading() (done func()) {
	if o.bundles == nil {
		return func() {}
	}
	o.bundles.readers.Add(1)
	return func() { o.bundles.readers.Add(-1) }
}

// advertised are refs as a server would tell them. A HEAD that is not told is the
// only branch.
func advertised(refs []BundleRef) *packp.AdvRefs {
	out := packp.NewAdvRefs()
	var head string
	for _, r := range refs {
		if r.Name == "HEAD" {
			head = r.Hash
			continue
		}
		out.References[r.Name] = plumbing.NewHash(r.Hash)
		if r.Peeled != "" {
			out.Peeled[r.Name] = plumbing.NewHash(r.Peeled)
		}
	}
	var named []BundleRef
	for _, r := range refs {
		if strings.HasPrefix(r.Name, "refs/heads/") && (head == "" || head == r.Hash) {
			named = append(named, r)
		}
	}
	if len(named) == 1 {
		head = named[0].Hash
		out.Capabilities.Add(capability.SymRef, "HEAD:"+named[0].Name) //nolint:errcheck // a list that is not full takes it
	}
	if head != "" {
		hash := plumbing.NewHash(head)
		out.Head = &hash
	}
	return out
}

// refresh takes in what is new. The error is Unreachable where there is nothing to
// look at.
func (b *bundles) refresh(ctx context.Context) error {
	files, err := bundle.List(b.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(files) == 0:
		b.files, b.states, b.refs, b.taken = nil, nil, nil, nil
		b.said.Store(nil)
		err := fault.As(fault.Unreachable, fmt.Errorf("there is no bundle at %s (yet)", b.path))
		return fault.Hint(err, "git bundle create FILE"+bundle.Suffix+" main makes one; what is being copied is given a name that begins with a dot until it is whole, or moved there when it is")
	case err != nil:
		return fault.As(fault.Unreachable, fmt.Errorf("look for bundles: %w", err))
	}
	if !b.due(files) {
		return nil
	}
	answer, err := b.importAll(ctx, b.store, files, b.taken)
	if err == nil && (answer.Damaged != "" || b.doubt) {
		answer, err = b.anew(ctx, files, answer)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil && len(answer.Bundles) != len(files) {
		err = fault.As(fault.Unreachable, fmt.Errorf("the answer is about %d bundles, and not about %d", len(answer.Bundles), len(files)))
	}
	if len(answer.Bundles) != len(files) { // whose states these are cannot be told
		answer.Bundles = nil
	}
	b.files, b.states, b.refs, b.failed = files, answer.Bundles, answer.Refs, err
	b.learn()
	for i := range b.states {
		s := &b.states[i]
		s.Fresh = !s.Counts() && s.State != BundleWaits && files[i].Young(b.now())
		if s.Fresh {
			s.State = BundleIncomplete
		}
	}
	said := slices.Clone(b.states)
	b.said.Store(&said)
	return err
}

// due tells whether the files have to be looked at: they changed, or it may have
// been too early.
func (b *bundles) due(files []bundle.File) bool {
	if b.failed != nil || b.doubt || len(b.states) != len(files) || !slices.Equal(b.files, files) {
		return true
	}
	return slices.ContainsFunc(b.states, func(s BundleState) bool { return s.Fresh })
}

// none is the error for bundles of which none counts.
func (b *bundles) none() error {
	err := fault.As(fault.Unreachable, fmt.Errorf("no bundle at %s can be used: %s", b.path, b.trouble()))
	for _, s := range b.states {
		if s.State == BundleWaits {
			return fault.Hint(err, "bring the bundles in between, or one that holds all: git bundle create FILE"+bundle.Suffix+" main")
		}
	}
	return fault.Hint(err, "git bundle verify FILE says what Git thinks of it; copy it anew")
}

// trouble says in one line what is wrong with those that do not count.
func (b *bundles) trouble() string {
	const shown = 5
	var said []string
	more := 0
	for _, s := range b.states {
		switch {
		case s.Counts():
		case len(said) < shown:
			said = append(said, s.String())
		default:
			more++
		}
	}
	if more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, "; ")
}

// String says what became of the bundle, as in "x.bundle is broken: it is no Git
// bundle".
func (b BundleState) String() string {
	text := resource.Harmless(filepath.Base(b.File), 120)
	if b.State == BundleServes || b.State == BundleWaits {
		text += " " + b.State
	} else {
		text += " is " + b.State
	}
	if b.Reason != "" {
		text += ": " + b.Reason
	}
	return text
}

// unbundle prepares to take bundles in, where the origin is made of them.
func (o *origin) unbundle() error {
	if o.addr.Kind != remote.Bundle {
		return nil
	}
	dir, err := filepath.Abs(o.opts.Dir)
	if err != nil {
		return fmt.Errorf("find the cache directory: %w", err)
	}
	o.bundles = newBundles(o.addr.Path, filepath.Join(dir, bundlesDir, sum([]byte(o.addr.URL))[:12]), o.importBundles, o.opts.Now)
	return nil
}

// Bundles says what became of each bundle at the last look, the newest of each place
// first; none where the repository is not made of any.
func (r *Repository) Bundles() []BundleState {
	var out []BundleState
	for _, o := range r.origins {
		out = append(out, o.held()...)
	}
	return out
}

// held are the states of the origin's bundles.
func (o *origin) held() []BundleState {
	if o.bundles == nil {
		return nil
	}
	if said := o.bundles.said.Load(); said != nil {
		return slices.Clone(*said)
	}
	return nil
}
