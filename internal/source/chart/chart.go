// Package chart is the agent's half of fetching Helm charts that are not in the
// Git repository: it knows what is in the cache, and has the child fetch the rest.
// Package pull is the child's half.
package chart

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// MaxArchive is how long a packed chart may be, in bytes.
const MaxArchive = config.MaxChart

// Op is the child's name for fetching a chart.
const Op = "chart"

// Request asks the child for one chart.
type Request struct {
	// Repo is an https:// chart repository or an oci:// path below which the chart
	// lies under its name.
	Repo    string `json:"repo"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// Digest is that of the archive (https) or of the manifest (oci). Without one
	// the chart is refused, and the error's hint names the one that it has.
	Digest string `json:"digest,omitempty"`
	// Dir is the cache.
	Dir string `json:"dir"`
	// CA are extra certificate authorities in PEM.
	CA string `json:"ca,omitempty"`
	// Proxy is what the agent's environment says: the child has none.
	Proxy Proxy `json:"proxy,omitzero"`
}

// Proxy are the settings of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
type Proxy struct {
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	No    string `json:"no,omitempty"`
}

// Answer says that the chart is in the cache.
type Answer struct{}

// Options say where charts are kept and what fetching one may cost.
type Options struct {
	// Dir is the cache below the state directory. It is made when first needed, and
	// nobody else writes there.
	Dir string
	// CAFile holds extra certificate authorities in PEM; empty is none.
	CAFile string
	// Limits are the host's; a zero field is the default. FetchTime and FetchMemory
	// bound fetching.
	Limits  config.Limits
	Sandbox sandbox.Child
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Store keeps charts. Its methods may be called at the same time.
type Store struct {
	opts Options

	mu      sync.Mutex
	refused map[config.Chart]refusal
	lent    map[string]time.Time // files -> when they were handed out last
}

// New makes a store, without I/O.
func New(o Options) *Store {
	o.Limits = o.Limits.Defaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{opts: o, refused: map[config.Chart]refusal{}, lent: map[string]time.Time{}}
}

// Fetch returns the file of a packed chart whose bytes are those that its digest
// names: from the cache, else fetched by the child. The file stays for ten minutes at
// least. A chart that was Rejected is so again, without a request, for ten minutes or
// until Forget is called. Errors: Unreachable where the server did not answer, Blocked
// where it wants a login, Rejected for a chart that is not there, is not pinned or is
// another one than the pin says; the context's cause.
func (s *Store) Fetch(ctx context.Context, want config.Chart) (string, error) {
	if err := complete(want); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(s.opts.Dir)
	if err != nil {
		return "", fmt.Errorf("find the cache of charts: %w", err)
	}
	if path, ok := s.cached(dir, want); ok {
		return path, nil
	}
	if err := s.refusedAlready(want); err != nil {
		return "", err
	}
	if err := s.fetch(ctx, dir, want); err != nil {
		err = fmt.Errorf("fetch chart %s %s from %s: %w", want.Name, want.Version, want.Repo, err)
		s.remember(want, err)
		return "", err
	}
	path, ok := s.cached(dir, want)
	if !ok {
		return "", fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("chart %s %s was fetched and is not in %s as it should be", want.Name, want.Version, dir)), "see whether the disk of the state directory is sound")
	}
	return path, nil
}

func (s *Store) fetch(ctx context.Context, dir string, want config.Chart) error {
	req := Request{Repo: want.Repo, Name: want.Name, Version: want.Version, Digest: want.Digest, Dir: dir, Proxy: proxies()}
	if s.opts.CAFile != "" {
		ca, err := egress.File(s.opts.CAFile, egress.AuthorityBound)
		if err != nil {
			return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read repo.auth.caFile: %w", err)), "check that the file exists and can be read by the agent")
		}
		req.CA = string(ca)
	}
	return s.opts.Sandbox.Call(ctx, Op, req, &Answer{}, s.bounds())
}

func (s *Store) bounds() sandbox.Limits {
	limits := s.opts.Limits
	return sandbox.Limits{
		Time: limits.FetchTime.D(), TimeKey: "limits.fetchTime", TimeoutClass: fault.Unreachable,
		Memory: int64(limits.FetchMemory), MemoryKey: "limits.fetchMemory",
		Output: 1 << 20, Network: true,
	}
}

// complete refuses a chart that is not named in full.
func complete(want config.Chart) error {
	for _, f := range []struct{ key, value string }{{"repo", want.Repo}, {"name", want.Name}, {"version", want.Version}} {
		if f.value == "" {
			return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("kubernetes.helm.chart.%s is missing", f.key)), "a chart that is not in the repository needs repo, name, version and digest")
		}
	}
	return nil
}

func proxies() Proxy {
	c := httpproxy.FromEnvironment()
	return Proxy{HTTP: c.HTTPProxy, HTTPS: c.HTTPSProxy, No: c.NoProxy}
}
