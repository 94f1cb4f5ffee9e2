package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"syncd.io/syncd/internal/fault"
)

// inside are the gate's doors in the networks of those it serves, one for each of
// its addresses there: neighbours come to it by the service's name. Its methods
// are for one goroutine at a time.
type inside struct {
	addresses func() ([]netip.Addr, error)
	door      func(at string) *door
	doors     map[netip.AddrPort]*door
}

// open opens the port in every network that the gate is in now, and closes it
// where the gate is no more; port 0 closes all. What cannot be opened keeps no
// other from being.
func (i *inside) open(ctx context.Context, port uint16) error {
	var found []netip.Addr
	var errs []error
	if port != 0 {
		var err error
		if found, err = i.addresses(); err != nil {
			return fault.As(fault.Blocked, fmt.Errorf("find the gate's addresses: %w", err))
		}
	}
	for at, d := range i.doors {
		if at.Port() != port || !slices.Contains(found, at.Addr()) {
			errs = append(errs, d.close())
			delete(i.doors, at)
		}
	}
	for _, addr := range found {
		at := netip.AddrPortFrom(addr, port)
		if i.doors[at] == nil {
			i.doors[at] = i.door(at.String())
		}
		errs = append(errs, i.doors[at].open(ctx, port))
	}
	return errors.Join(errs...)
}

// listening is where neighbours get in, ADDRESS:PORT, in order.
func (i *inside) listening() []string {
	var out []string
	for _, d := range i.doors {
		if at := d.address(); at != "" {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// insideAddresses are the gate's addresses in all of its networks but the edge
// network.
func insideAddresses() ([]netip.Addr, error) {
	edge, err := defaultName()
	if err != nil {
		return nil, err
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	found := map[netip.Addr]bool{}
	for _, iface := range all {
		if iface.Name == edge || iface.Flags&net.FlagLoopback != 0 || iface.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := iface.Addrs()
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", iface.Name, err)
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
				found[p.Addr()] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), netip.Addr.Compare), nil
}
