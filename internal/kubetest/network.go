package kubetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
)

// network is where a cluster lives. One without a node lives on the loopback. One
// with a node has a bridge of its own, which is the node's address, the pods'
// gateway, and the address under which pods look for the API server: the first
// of the services' range, so that no proxy and no translation is needed.
type network struct {
	Bridge   string // "" without a node
	Services string // the services' range
	API      net.IP // where the API server listens
	Port     int    // and on which port
	Pods     string // the pods' range
	Node     net.IP // the node's address and the pods' gateway
}

// The second number of the ranges 10.N and 10.N+1 of the shared cluster, and of
// those that private clusters may take.
const (
	sharedRange = 213
	firstRange  = 215
	lastRange   = 247
)

// loopback is the network of a cluster without a node.
func loopback(ctx context.Context) (network, error) {
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return network{}, err
	}
	return network{Services: "10.96.0.0/16", API: net.IPv4(127, 0, 0, 1), Port: ports[0]}, nil
}

// ranged is the network of a cluster with a node, drawn from 10.n and 10.n+1.
func ranged(n int) network {
	return network{
		Bridge:   fmt.Sprintf("syncd%d", n),
		Services: fmt.Sprintf("10.%d.0.0/16", n),
		API:      net.IPv4(10, byte(n), 0, 1),
		Port:     443,
		Pods:     fmt.Sprintf("10.%d.0.0/20", n+1),
		Node:     net.IPv4(10, byte(n+1), 0, 1),
	}
}

// claimNetwork makes the bridge of the first network that is free, from a range
// to another. Making it is what claims it: only one can.
func claimNetwork(ctx context.Context, from, to int) (network, error) {
	for n := from; n <= to; n += 2 {
		found := ranged(n)
		if _, err := net.InterfaceByName(found.Bridge); err == nil {
			continue
		}
		err := found.make(ctx)
		if err == nil || !strings.Contains(err.Error(), "File exists") {
			return found, err
		}
	}
	return network{}, fmt.Errorf("the networks 10.%d to 10.%d all have clusters", from, to)
}

// make makes the bridge with its addresses. Pods on it may speak to each other
// though a Docker engine forbids forwarding.
func (n network) make(ctx context.Context) error {
	if err := ip(ctx, "link", "add", n.Bridge, "type", "bridge"); err != nil {
		return err
	}
	steps := [][]string{
		{"address", "add", n.Node.String() + "/20", "dev", n.Bridge},
		{"address", "add", n.API.String() + "/32", "dev", n.Bridge},
		{"link", "set", n.Bridge, "up"},
	}
	for _, step := range steps {
		if err := ip(ctx, step...); err != nil {
			return errors.Join(err, n.remove(ctx))
		}
	}
	if err := iptables(ctx, "filter", n.forward("-I")...); err != nil {
		return errors.Join(err, n.remove(ctx))
	}
	return nil
}

// forward is the rule that lets pods speak to each other, to insert or delete.
func (n network) forward(verb string) []string {
	return []string{verb, "FORWARD", "-i", n.Bridge, "-o", n.Bridge, "-j", "ACCEPT"}
}

// remove removes what make made; what is gone already is no error.
func (n network) remove(ctx context.Context) error {
	if n.Bridge == "" {
		return nil
	}
	if _, err := net.InterfaceByName(n.Bridge); err == nil {
		if err := ip(ctx, "link", "delete", n.Bridge); err != nil {
			return err
		}
	}
	for iptables(ctx, "filter", n.forward("-C")...) == nil {
		if err := iptables(ctx, "filter", n.forward("-D")...); err != nil {
			return err
		}
	}
	return nil
}

func ip(ctx context.Context, args ...string) error { return tool(ctx, "ip", args...) }

func iptables(ctx context.Context, table string, args ...string) error {
	return tool(ctx, "iptables", append([]string{"-w", "10", "-t", table}, args...)...)
}

// tool runs a program that says nothing when all is well.
func tool(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
