package source

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

// Options say which repository to follow and what that may cost.
type Options struct {
	// URL is https://, ssh://, user@host:path, file:// or a directory; http://
	// only where Auth.AllowHTTP is set, and without credentials.
	URL  string
	Ref  config.Ref
	Auth config.Auth
	// Dir is the cache below the state directory: one directory per commit. It is
	// made when first needed, and nobody else writes there.
	Dir string
	// Limits are the host's; a zero field is the default.
	Limits config.Limits
	// Child fetches, and queries over SSH.
	Child sandbox.Child
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Repository is one followed repository. Its methods may be called at the same
// time.
type Repository struct {
	opts Options
	addr remote.Address
	want remote.Want
	// others is held by the one fetch of a commit that is not followed.
	others chan struct{}
	// store is held by the one child that works on the object store.
	store chan struct{}

	mu       sync.Mutex // guards what follows, and renames in the cache directory
	client   *remote.Client
	trusted  string                   // the CA and proxy that client was made with
	asked    map[string]remote.Want   // commit -> the query that it answered
	shown    map[string]string        // commit -> the ref's name for people
	followed string                   // the commit that the configured ref named last
	loading  map[string]chan struct{} // commits that are being loaded -> closed at the end
	temps    map[string]bool          // the directories of fetches under way
	checked  map[string]bool          // commits whose files were hashed since the start
	loans    map[string]loan          // commits whose files were handed out
	base     string                   // the commit that was loaded last
	spare    string                   // the commit whose snapshot the next one is made of; empty is none
	refused  map[string]refusal       // commits that are not fetched again
}

// Open checks URL, ref and authentication for contradictions, without I/O. The
// error is Rejected, has a hint, and holds no secret.
func Open(o Options) (*Repository, error) {
	addr, err := remote.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if err := authFits(addr, o.Auth); err != nil {
		return nil, err
	}
	want, err := remote.FromConfig(o.Ref)
	if err != nil {
		return nil, err
	}
	o.Limits = o.Limits.Defaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Repository{
		opts: o, addr: addr, want: want, others: make(chan struct{}, 1), store: make(chan struct{}, 1),
		asked: map[string]remote.Want{}, shown: map[string]string{}, loading: map[string]chan struct{}{},
		temps: map[string]bool{}, checked: map[string]bool{}, loans: map[string]loan{}, refused: map[string]refusal{},
	}, nil
}

// authFits refuses what would send a secret in the clear or trust any host.
func authFits(addr remote.Address, auth config.Auth) error {
	switch {
	case addr.Plain && !auth.AllowHTTP:
		return rejected("repo.url: http is neither private nor safe from changes on the way", "use https or ssh; repo.auth.allowHTTP: true permits http without credentials")
	case addr.Plain && (auth.PasswordFile != "" || auth.Username != ""):
		return rejected("repo.auth: a login is never sent over plain http", "use https, or remove repo.auth.username and repo.auth.passwordFile")
	case addr.Kind == remote.SSH && auth.KnownHostsFile == "":
		return rejected("repo.auth.knownHostsFile is missing: the host's key must be known beforehand", "ssh-keyscan HOST >known_hosts, compare it with what the host publishes, and name the file in repo.auth.knownHostsFile")
	case addr.Kind == remote.SSH && auth.SSHKeyFile == "":
		return rejected("repo.auth.sshKeyFile is missing", "make a deploy key with ssh-keygen -t ed25519, register it at the Git server, and name its file in repo.auth.sshKeyFile")
	}
	return nil
}

func rejected(text, hint string) error {
	return fault.Hint(fault.As(fault.Rejected, errors.New(text)), hint)
}

// String names the repository for people; it holds no secret.
func (r *Repository) String() string { return r.addr.URL }

// Close ends idle connections.
func (r *Repository) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client != nil {
		r.client.Close()
		r.client = nil
	}
}

// limitsOf are what one commit may hold.
func limitsOf(l config.Limits) tree.Limits {
	return tree.Limits{File: int64(l.File), Files: l.Files, Disk: int64(l.FetchDisk)}
}

// bounds are those of the child: a call that is too slow is the network's fault,
// or that of the disk that the repository is on.
func (r *Repository) bounds(limit time.Duration, key string) sandbox.Limits {
	return sandbox.Limits{
		Time: limit, TimeKey: key, TimeoutClass: fault.Unreachable,
		Memory: int64(r.opts.Limits.FetchMemory), MemoryKey: "limits.fetchMemory",
		Output: 1 << 20, Network: r.addr.Kind != remote.Local,
	}
}

// about names the repository in an error.
func (r *Repository) about(doing string, err error) error {
	return fmt.Errorf("%s %s: %w", doing, r.addr.URL, err)
}
