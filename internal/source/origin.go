package source

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source/remote"
)

// origin is one place where the repository can be had: repo.url, or a mirror. A
// commit is the same wherever it comes from.
type origin struct {
	// login is the setting that says how it is reached: repo.auth, or a mirror's own.
	login string
	addr  remote.Address
	auth  config.Auth
	opts  *Options
	// bundles are where the repository is; nil for one of another kind.
	bundles *bundles

	mu      sync.Mutex // guards what follows
	client  *remote.Client
	trusted string // what that client was made with
	met     bool   // its host's key is known, or need not be
}

// originsOf checks every URL with its login for contradictions, without I/O; those
// of the mirrors come after repo.url, in their order.
func originsOf(o *Options) ([]*origin, error) {
	addr, err := remote.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	all := []*origin{{login: "repo.auth", addr: addr, auth: o.Auth, opts: o}}
	for i, m := range o.Mirrors {
		setting := fmt.Sprintf("repo.mirrors[%d]", i)
		addr, err := remote.ParseAs(setting+".url", m.URL)
		if err != nil {
			return nil, err
		}
		mirror := &origin{login: "repo.auth", addr: addr, auth: o.Auth, opts: o}
		if m.Auth != nil {
			mirror.login, mirror.auth = setting+".auth", *m.Auth
		}
		all = append(all, mirror)
	}
	for _, o := range all {
		if err := o.fits(); err != nil {
			return nil, err
		}
		if err := o.unbundle(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fits refuses what would send a secret in the clear or trust any host.
func (o *origin) fits() error {
	auth := o.auth
	switch {
	case o.addr.Plain && !auth.AllowHTTP:
		return o.refuse(": http is neither private nor safe from changes on the way", "use https or ssh; "+o.login+".allowHTTP: true permits http without credentials")
	case o.addr.Plain && (auth.PasswordFile+auth.PasswordEnv+auth.ClientKeyFile != "" || auth.Username != ""):
		return o.refuse(": a login is never sent over plain http", "use https, or remove "+o.login+".username and "+o.login+".passwordFile; a mirror without a login has auth: {allowHTTP: true}")
	case o.addr.Kind == remote.SSH && auth.KnownHostsFile == "" && auth.KnownHosts != acceptNew:
		return o.refuse(".knownHostsFile is missing: the host's key must be known beforehand", "ssh-keyscan HOST >known_hosts, compare it with what the host publishes, and name the file in "+o.login+".knownHostsFile")
	case o.addr.Kind == remote.SSH && auth.SSHKeyFile == "" && !auth.SSHAgent:
		return o.refuse(".sshKeyFile is missing", "make a deploy key with ssh-keygen -t ed25519, register it at the Git server, and name its file in "+o.login+".sshKeyFile")
	}
	return nil
}

func (o *origin) refuse(what, hint string) error {
	return fault.Hint(fault.As(fault.Rejected, errors.New(o.login+what)), hint)
}

// name is the URL; it holds no secret.
func (o *origin) name() string { return o.addr.URL }

// about names the place in an error.
func (o *origin) about(doing string, err error) error {
	return fmt.Errorf("%s %s: %w", doing, o.addr.URL, err)
}

// query asks what want names: one ref query, within the configured time.
func (o *origin) query(ctx context.Context, want remote.Want) (remote.Found, error) {
	begun := time.Now()
	found, err := o.ask(ctx, want)
	if err == nil && !remote.ValidCommit(found.Commit) {
		err = fault.As(fault.Unreachable, errNoCommit)
	}
	o.asked(ctx, "query", begun, err)
	if err != nil {
		return remote.Found{}, o.advise(err)
	}
	return found, nil
}

func (o *origin) ask(ctx context.Context, want remote.Want) (remote.Found, error) {
	switch {
	case o.addr.Kind == remote.Local:
		return remote.LocalRef(o.addr.Path, want)
	case o.bundles != nil:
		return o.bundles.query(ctx, want)
	}
	spec, err := o.spec(ctx)
	if err != nil {
		return remote.Found{}, err
	}
	if o.addr.Kind == remote.SSH {
		var found remote.Found
		err := o.opts.Child.Call(ctx, "resolve", ResolveRequest{Remote: spec, Want: want}, &found, o.bounds(o.opts.Timeout, "repo.timeout"))
		return found, err
	}
	return o.overHTTP(ctx, spec, want)
}

// nearby tells whether it is on this machine.
func (o *origin) nearby() bool { return o.addr.Kind == remote.Local || o.addr.Kind == remote.Bundle }

func (o *origin) overHTTP(ctx context.Context, spec remote.Spec, want remote.Want) (remote.Found, error) {
	client, err := o.connection(spec)
	if err != nil {
		return remote.Found{}, err
	}
	timed, cancel := context.WithTimeout(ctx, o.opts.Timeout)
	defer cancel()
	refs, err := client.Refs(timed, spec)
	if ctx.Err() != nil {
		return remote.Found{}, context.Cause(ctx)
	}
	if err != nil {
		return remote.Found{}, remote.Classify(err)
	}
	return remote.Pick(refs, want)
}

// connection keeps one client, and makes another when a certificate or the proxy
// changed.
func (o *origin) connection(spec remote.Spec) (*remote.Client, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	trusted := sum([]byte(spec.CA + "\n" + spec.Proxy + "\n" + spec.ClientCert + "\n" + spec.ClientKey))
	if o.client != nil && o.trusted == trusted {
		return o.client, nil
	}
	client, err := remote.NewClient(spec, remote.MaxRefs)
	if err != nil {
		return nil, err
	}
	if o.client != nil {
		o.client.Close()
	}
	o.client, o.trusted = client, trusted
	return client, nil
}

// close ends idle connections.
func (o *origin) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client != nil {
		o.client.Close()
		o.client = nil
	}
}

// bounds are those of the child: a call that is too slow is the network's fault,
// or that of the disk that the repository is on.
func (o *origin) bounds(limit time.Duration, key string) sandbox.Limits {
	return sandbox.Limits{
		Time: limit, TimeKey: key, TimeoutClass: fault.Unreachable,
		Memory: int64(o.opts.Limits.FetchMemory), MemoryKey: "limits.fetchMemory",
		Output: 1 << 20, Network: !o.nearby(),
	}
}
