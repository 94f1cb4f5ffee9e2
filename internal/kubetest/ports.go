package kubetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are drawn from below those that Linux gives to whoever asks for any: one
// that a program leaves while it restarts is not taken by a passing connection.
const (
	firstPort = 15000
	lastPort  = 32000
)

// freePorts returns ports of the loopback that nobody listens on.
func freePorts(ctx context.Context, count int) ([]int, error) {
	var ports []int
	var errs []error
	for len(ports) < count && len(errs) < 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		defer listener.Close() // held until all are found, so that they differ
		ports = append(ports, port)
	}
	if len(ports) < count {
		return nil, fmt.Errorf("find a free port: %w", errors.Join(errs...))
	}
	return ports, nil
}
