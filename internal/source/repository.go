package source

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

// Options say which repository to follow and what that may cost.
type Options struct {
	// URL is https://, ssh://, user@host:path, file://, bundle:// or a directory; http://
	// only where Auth.AllowHTTP is set, and without credentials.
	URL string
	// Mirrors are asked in their order where URL gives no revision.
	Mirrors []config.Mirror
	Ref     config.Ref
	Auth    config.Auth
	// Verify says whose signature a commit needs; nil is nobody's.
	Verify *config.Verify
	// AllowRewrite lets a rewritten history, and a moved tag, be followed.
	AllowRewrite bool
	// Timeout is what each remote has for a ref query. Zero is 15 s.
	Timeout time.Duration
	// Anchors keeps which revision was accepted last; nil is nobody.
	Anchors Anchors
	// Environ looks a variable of the agent's environment up; nil is os.LookupEnv.
	Environ func(name string) (string, bool)
	// Dir is the cache below the state directory: one directory per commit. It is
	// made when first needed, and nobody else writes there.
	Dir string
	// KnownHosts is the file below the state directory that keeps the keys of SSH hosts
	// that were trusted when they were met first; nobody else writes it.
	KnownHosts string
	// Limits are the host's; a zero field is the default.
	Limits config.Limits
	// Child fetches, and queries over SSH.
	Child sandbox.Child
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Asked is told of each question to a remote, from several goroutines at once, and
	// must not block; nil is nobody.
	Asked func(Asked)

	meeting *meeting
}

// Repository is one followed repository, wherever it is had from. Its methods may be
// called at the same time.
type Repository struct {
	opts    Options
	origins []*origin
	want    remote.Want
	// relate says how a commit stands to another.
	relate func(ctx context.Context, from, to string) (Relation, error)
	// others is held by the one fetch of a commit that is not followed.
	others chan struct{}
	// store is held by the one child that works on the object store.
	store chan struct{}

	// anchoring is held while the anchor is written.
	anchoring sync.Mutex

	mu          sync.Mutex // guards what follows, and renames in the cache directory
	standings   []standing // of origins
	anchor      Anchor
	learnt      string                   // the commit whose history the object store knows
	relations   map[[2]string]Relation   // of commits to earlier ones
	asked       map[string]query         // commit -> the query that it answered
	followed    string                   // the commit that the configured ref named last
	followedRef string                   // that ref's full name
	after       string                   // the accepted commit that it was held against
	believed    trust                    // the keys that were read last
	proofs      map[string]judged        // commit -> what came of looking at its signatures
	loading     map[string]chan struct{} // commits that are being loaded -> closed at the end
	temps       map[string]bool          // the directories of fetches under way
	checked     map[string]bool          // commits whose files were hashed since the start
	loans       map[string]loan          // commits whose files were handed out
	base        string                   // the commit that was loaded last
	spare       string                   // the commit whose snapshot the next one is made of; empty is none
	refused     map[string]refusal       // commits that are not fetched again, each with its judge
	giveWay     context.CancelCauseFunc  // ends what nobody waits for at the object store; nil is nothing
	waiting     int                      // who waits for the object store, and gives way to nobody
}

// answerTime is how long a ref query may take where nothing else is said.
const answerTime = 15 * time.Second

// Open checks URLs, ref and authentication for contradictions, without any I/O but
// that of Anchors. The error is Rejected, has a hint, and holds no secret.
func Open(o Options) (*Repository, error) {
	o.Limits = o.Limits.Defaults()
	o.meeting = &meeting{}
	o.Timeout = cmp.Or(o.Timeout, answerTime)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Environ == nil {
		o.Environ = os.LookupEnv
	}
	r := &Repository{
		opts: o, others: make(chan struct{}, 1), store: make(chan struct{}, 1), relations: map[[2]string]Relation{},
		asked: map[string]query{}, proofs: map[string]judged{}, loading: map[string]chan struct{}{},
		temps: map[string]bool{}, checked: map[string]bool{}, loans: map[string]loan{}, refused: map[string]refusal{},
	}
	r.relate = r.Relate
	var err error
	if r.origins, err = originsOf(&r.opts); err != nil {
		return nil, err
	}
	if err = verifyFits(o.Verify); err != nil {
		return nil, err
	}
	if r.want, err = remote.FromConfig(o.Ref); err != nil {
		return nil, err
	}
	for _, name := range r.names() {
		r.standings = append(r.standings, standing{RemoteStatus: RemoteStatus{Name: name, State: RemoteStandby}})
	}
	if o.Anchors != nil {
		if r.anchor, err = o.Anchors.Anchor(); err != nil {
			return nil, fmt.Errorf("read which revision was accepted last: %w", err)
		}
	}
	return r, nil
}

// String names the repository for people; it holds no secret.
func (r *Repository) String() string { return r.origins[0].name() }

// Close ends idle connections.
func (r *Repository) Close() {
	for _, o := range r.origins {
		o.close()
	}
}

// limitsOf are what one commit may hold.
func limitsOf(l config.Limits) tree.Limits {
	return tree.Limits{File: int64(l.File), Files: l.Files, Disk: int64(l.FetchDisk)}
}

// about names the repository in an error.
func (r *Repository) about(doing string, err error) error { return r.origins[0].about(doing, err) }
