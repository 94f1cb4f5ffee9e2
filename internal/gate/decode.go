package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"syncd.io/syncd/internal/fault"
)

// MaxTable is how long a table may be, in bytes.
const MaxTable = 1 << 20

// The other bounds of a table.
const (
	maxBackends = 1024
	maxWaiting  = 1 << 16
	maxDrain    = 24 * time.Hour
)

// Decode reads a table strictly: an unknown format or field, a value out of its
// bounds, or anything after the table is an error. The table it returns has its
// defaults filled in. Errors are of the class fault.Rejected.
func Decode(raw []byte) (Table, error) {
	t, err := decode(raw)
	if err != nil {
		return Table{}, rejected(err)
	}
	return t.checked()
}

// checked returns the completed table, or why it cannot be one.
func (t Table) checked() (Table, error) {
	if err := t.check(); err != nil {
		return Table{}, rejected(err)
	}
	return t.complete(), nil
}

func rejected(err error) error {
	err = fault.As(fault.Rejected, fmt.Errorf("the gate's table: %w", err))
	if fault.Advice(err) != "" {
		return err
	}
	return fault.Hint(err, "the table in force stays; hand over one that is right")
}

func decode(raw []byte) (Table, error) {
	if len(raw) > MaxTable {
		return Table{}, fmt.Errorf("it is longer than %d bytes", MaxTable)
	}
	var version struct{ Format int } // first: another format may have other fields
	if err := json.Unmarshal(raw, &version); err != nil {
		return Table{}, fmt.Errorf("read it: %w", err)
	}
	if version.Format != Format {
		err := fmt.Errorf("format %d is not known here, only %d", version.Format, Format)
		return Table{}, fault.Hint(err, "gate and agent are of different versions; upgrade the older one")
	}
	var t Table
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Table{}, fmt.Errorf("read it: %w", err)
	}
	return t, nil
}

func (t Table) check() error {
	switch {
	case t.Format != Format:
		return fmt.Errorf("format %d is not known here, only %d", t.Format, Format)
	case t.Mode != TCP && t.Mode != HTTP:
		return fmt.Errorf("mode %q is neither tcp nor http", t.Mode)
	case t.Port == 0:
		return errors.New("port is missing")
	case t.Drain < 0 || t.Drain.D() > maxDrain:
		return fmt.Errorf("drain %s is not between 0s and %s", t.Drain, maxDrain)
	case t.ProxyProtocol && t.Mode != TCP:
		return errors.New("proxyProtocol is for mode tcp only; http has X-Forwarded-For")
	case t.Sticky && t.Mode != HTTP:
		return errors.New("sticky is for mode http only")
	case len(t.Backends) > maxBackends:
		return fmt.Errorf("%d backends are more than %d", len(t.Backends), maxBackends)
	}
	return errors.Join(t.Hold.check(), checkBackends(t.Backends))
}

func (h *Hold) check() error {
	switch {
	case h == nil:
		return nil
	case h.Limit < 0 || h.Limit > maxWaiting:
		return fmt.Errorf("hold.limit %d is not between 0 and %d", h.Limit, maxWaiting)
	case h.For < 0 || h.For.D() > MaxHoldFor:
		return fmt.Errorf("hold.for %s is not between 0s and %s", h.For, MaxHoldFor)
	}
	return nil
}

func checkBackends(all []Backend) error {
	shares := 0
	seen := make(map[string]bool, len(all))
	for _, b := range all {
		if err := b.check(); err != nil {
			return fmt.Errorf("backend %q: %w", b.ID, err)
		}
		if seen[b.ID] {
			return fmt.Errorf("backend %q is there twice", b.ID)
		}
		seen[b.ID] = true
		if !b.Draining {
			shares += b.Share
		}
	}
	if shares > 100 {
		return fmt.Errorf("the shares of the backends sum up to %d percent", shares)
	}
	return nil
}

func (b Backend) check() error {
	switch {
	case !isContainer(b.ID) && !isAddress(b.ID):
		return errors.New("the ID is neither 12 to 64 hexadecimal digits nor an IP address")
	case b.Port == 0:
		return errors.New("port is missing")
	case b.Share < 0 || b.Share > 100:
		return fmt.Errorf("share %d is no percentage", b.Share)
	}
	return nil
}

func isAddress(id string) bool {
	a, err := netip.ParseAddr(id)
	return err == nil && a.Zone() == "" && !a.IsUnspecified()
}

// isContainer tells whether id is a container's, short or whole.
func isContainer(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(id) >= 12 && len(id) <= 64
}
