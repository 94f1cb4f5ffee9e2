package gate

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// keepAddress is how long a name's address is believed.
const keepAddress = time.Second

// lookup asks the system's resolver for a name's addresses.
type lookup func(ctx context.Context, network, name string) ([]netip.Addr, error)

// host is a backend's name and, for a moment, its address.
type host struct {
	name  string
	fixed netip.Addr    // where the name is an address
	turn  chan struct{} // held by who asks

	mu    *sync.Mutex
	addr  netip.Addr
	until time.Time
}

func newHost(id string) host {
	h := host{name: id + ".", turn: make(chan struct{}, 1), mu: new(sync.Mutex)} // the dot: no search list
	if addr, err := netip.ParseAddr(id); err == nil {
		h.fixed = addr.Unmap()
	}
	return h
}

// address returns the address, asking once for all who want to know.
func (h *host) address(ctx context.Context, ask lookup) (netip.Addr, error) {
	if h.fixed.IsValid() {
		return h.fixed, nil
	}
	if addr, ok := h.known(); ok {
		return addr, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return netip.Addr{}, ctx.Err()
	}
	if addr, ok := h.known(); ok {
		return addr, nil
	}
	return h.ask(ctx, ask)
}

func (h *host) ask(ctx context.Context, ask lookup) (netip.Addr, error) {
	found, err := ask(ctx, "ip", h.name)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(found) == 0 {
		return netip.Addr{}, fmt.Errorf("%s has no address", h.name)
	}
	addr := found[0].Unmap()
	for _, a := range found { // the older protocol first: a container has it always
		if a = a.Unmap(); a.Is4() {
			addr = a
			break
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addr, h.until = addr, time.Now().Add(keepAddress)
	return addr, nil
}

func (h *host) known() (netip.Addr, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr, time.Now().Before(h.until)
}

// forget drops the address: who was there does not answer.
func (h *host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = time.Time{}
}
