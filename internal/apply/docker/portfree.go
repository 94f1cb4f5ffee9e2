package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/spec"
)

// holder is a running container with a published port; without a name it is one
// of ours, and may hold anything where it is on the host's network.
type holder struct {
	name     string
	port     container.Port
	anything bool
}

// onHostNetwork tells whether any of our containers may hold ports that no engine
// knows of.
func (t *Target) onHostNetwork(s *snapshot) bool {
	return slices.ContainsFunc(s.containers, func(f found) bool {
		return f.State.Running && f.HostConfig.NetworkMode.IsHost() && t.mayTouch(s, f)
	})
}

func (e *Engine) portHolders(ctx context.Context, project string) ([]holder, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{})
	if err != nil {
		return nil, e.classify(ctx, "list containers", err)
	}
	var out []holder
	for _, c := range list {
		for _, p := range c.Ports {
			if p.PublicPort != 0 && len(c.Names) > 0 {
				name := strings.TrimPrefix(c.Names[0], "/")
				if c.Labels[labelProject] == project {
					name = ""
				}
				out = append(out, holder{name: name, port: p})
			}
		}
	}
	return out, nil
}

// portFree blocks a port that another project's container holds, or, where agent
// and engine share a host, another process; a range where none of its ports is
// free. Ports of this project's own containers are the planner's business.
func (e *Engine) portFree(ctx context.Context, p spec.Port, holders []holder) error {
	from, to, err := nat.ParsePortRangeToInt(cmp.Or(p.Published, "0"))
	if err != nil || from == 0 {
		return nil //nolint:nilerr // the engine refuses what is no port
	}
	var held error
	for number := from; number <= to; number++ {
		one := p
		one.Published = strconv.Itoa(number)
		if held, err = e.numberFree(ctx, one, holders); held == nil || err != nil {
			return err
		}
	}
	if from == to {
		return held
	}
	return fault.Hint(fmt.Errorf("ports: none of %s/%s is free: %w", net.JoinHostPort(p.HostIP, p.Published), p.Protocol, held), "publish a longer range, or free one of these ports")
}

// numberFree says who holds one port; nil where nobody does. err is of what could
// not be found out.
func (e *Engine) numberFree(ctx context.Context, p spec.Port, holders []holder) (held, err error) {
	field := net.JoinHostPort(p.HostIP, p.Published)
	for _, h := range holders {
		if !h.anything && (fmt.Sprint(h.port.PublicPort) != p.Published || h.port.Type != p.Protocol || !overlap(h.port.IP, p.HostIP)) {
			continue
		}
		if h.name == "" {
			return nil, nil
		}
		return taken("stop that container, or publish another port", "ports: %s/%s is held by container %s", field, p.Protocol, h.name), nil
	}
	if p.Protocol != "tcp" || !e.sameHost() {
		return nil, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", field)
	if errors.Is(err, syscall.EADDRINUSE) {
		return taken("stop that process (`ss -ltnp` shows it), or publish another port", "ports: %s is held by another process on the host", field), nil
	}
	if err != nil {
		return nil, nil //nolint:nilerr // not allowed to try: the engine will tell
	}
	if err := l.Close(); err != nil {
		return nil, fault.As(fault.Unknown, fmt.Errorf("release port %s: %w", field, err))
	}
	return nil, nil
}

// taken is the error for what somebody else holds now: no revision is to blame,
// and it is tried again by itself.
func taken(hint, format string, args ...any) error {
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf(format+"; it goes on when it is free", args...)), hint)
}

func overlap(a, b string) bool {
	wildcard := func(ip string) bool { return ip == "" || ip == "0.0.0.0" || ip == "::" }
	return a == b || wildcard(a) || wildcard(b)
}

// sameHost tells whether this process sees the ports of the engine's host.
func (e *Engine) sameHost() bool {
	return strings.HasPrefix(e.api.DaemonHost(), "unix://") && len(selfIDs()) == 0
}
