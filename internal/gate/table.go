package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Format is the version of the table that this package reads and writes.
const Format = 1

// What a table's fields are where it leaves them out.
const (
	DefaultDrain     = 10 * time.Second
	DefaultHoldFor   = 30 * time.Second
	DefaultHoldLimit = 1024
)

// MaxHoldFor is how long a hold may let each wait.
const MaxHoldFor = time.Hour

// Mode is what a gate understands of what passes through it.
type Mode string

// The modes.
const (
	// TCP carries connections: a connection stays at its backend.
	TCP Mode = "tcp"
	// HTTP carries requests: HTTP/1.1, and HTTP/2 without TLS.
	HTTP Mode = "http"
)

// Table is all that a gate has to know. The agent writes it whole, and as often
// as it likes: the same table twice changes nothing.
type Table struct {
	// Format is 1.
	Format int `json:"format"`
	// Mode is "tcp" or "http".
	Mode Mode `json:"mode"`
	// Port is where to listen, on the address of the interface with the default route.
	Port uint16 `json:"port"`
	// Inside is where to listen besides, on the gate's addresses in all of its other
	// networks; 0 is nowhere.
	Inside uint16 `json:"inside,omitempty"`
	// Backends are those in the pool and those on their way out of it.
	Backends []Backend `json:"backends,omitempty"`
	// Hold lets new connections (http: requests) wait while nobody is in the pool;
	// without it they are refused, and the port is closed.
	Hold *Hold `json:"hold,omitempty"`
	// Drain is how long what is in flight at a backend that leaves may go on; 10s
	// if left out.
	Drain resource.Duration `json:"drain,omitempty"`
	// ProxyProtocol (tcp) tells the backend the client's address, by a PROXY
	// protocol header of version 2.
	ProxyProtocol bool `json:"proxyProtocol,omitempty"`
	// Sticky (http) keeps a client at its backend, by a cookie, while that is in
	// the pool.
	Sticky bool `json:"sticky,omitempty"`
}

// Backend is one container that answers what comes to the gate.
type Backend struct {
	// ID is a container's ID, a DNS name in its networks: 12 to 64 hexadecimal
	// digits. An IP address is allowed too.
	ID string `json:"id"`
	// Port is the container's own.
	Port uint16 `json:"port"`
	// Draining says that the backend gets nothing new.
	Draining bool `json:"draining,omitempty"`
	// Share is the percentage of what is new that this backend gets, such as a
	// canary's 10. Those without one divide the rest equally.
	Share int `json:"share,omitempty"`
}

// Hold bounds the waiting for a backend.
type Hold struct {
	// Limit is how many may wait; 1024 if left out.
	Limit int `json:"limit,omitempty"`
	// For is how long each may wait; 30s if left out.
	For resource.Duration `json:"for,omitempty"`
}

// complete returns the table with its defaults filled in and its backends in
// order, so that two tables that mean the same are the same.
func (t Table) complete() Table {
	t.Drain = cmp.Or(t.Drain, resource.Duration(DefaultDrain))
	if t.Hold != nil {
		t.Hold = &Hold{Limit: cmp.Or(t.Hold.Limit, DefaultHoldLimit), For: cmp.Or(t.Hold.For, resource.Duration(DefaultHoldFor))}
	}
	t.Backends = slices.Clone(t.Backends)
	slices.SortFunc(t.Backends, func(a, b Backend) int { return cmp.Compare(a.ID, b.ID) })
	return t
}

// Encode returns the table as JSON, as Decode reads it.
func (t Table) Encode() ([]byte, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode the gate's table: %w", err)
	}
	return raw, nil
}

// Digest names the table's content: tables that mean the same have the same
// digest, whatever the order of their backends and whether defaults are spelled
// out. It is SHA-256 in hexadecimal.
func (t Table) Digest() string {
	raw, err := t.complete().Encode()
	if err != nil { // a table has nothing that cannot be encoded
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Opens tells whether the port is open by the table: somebody is in the pool, or
// may be waited for.
func (t Table) Opens() bool { return t.serves() || t.Hold != nil }

// serves tells whether anybody is in the pool.
func (t Table) serves() bool {
	return slices.ContainsFunc(t.Backends, func(b Backend) bool { return !b.Draining })
}
