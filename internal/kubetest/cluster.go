// Package kubetest runs real clusters for tests, benchmarks and the demo: etcd of
// the distribution, and Kubernetes' own programs, which test/cluster pins and
// make cluster builds once into the user's cache.
//
// A control plane of a test's own takes some four seconds (Start). A cluster with
// a real node, whose pods run, is one that all share (Shared, make cluster).
package kubetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// Options says what a cluster has.
type Options struct {
	// Node adds a scheduler and a real node: a kubelet on a containerd of its own.
	// That needs root.
	Node bool
	// NoControllers leaves the API server alone: it stores objects, and nobody carries
	// them out.
	NoControllers bool
	// APIServer are further flags of kube-apiserver.
	APIServer []string
	// Say, where it is not nil, is told what takes long.
	Say func(format string, args ...any)

	at *place // of a cluster that outlives who started it, else nil
}

// Cluster is a control plane, and perhaps a node, that this process started.
type Cluster struct {
	*Access
	layout
	options   Options
	processes map[string]*process
}

// layout is what a cluster's directory says about it to whoever finds it.
type layout struct {
	Net       network
	EtcdPorts []int
	Programs  string // the directory of the programs that it runs
}

// Launch starts a cluster in a directory, and returns when it does what is asked
// of it: the API server is ready, the controllers run, a node takes pods. What
// fails to start is shown with the last lines of its log, and nothing stays.
func Launch(ctx context.Context, dir string, options Options) (*Cluster, error) {
	c, err := launch(ctx, dir, options)
	if err != nil && c != nil {
		err = errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// launch returns the cluster with the error too, for what there is of it.
func launch(ctx context.Context, dir string, options Options) (*Cluster, error) {
	if options.Say == nil {
		options.Say = func(string, ...any) {}
	}
	path, err := Programs(ctx)
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: options, layout: layout{Programs: path}, processes: map[string]*process{}}
	for _, step := range []func(context.Context, string) error{c.settle, c.startControlPlane, c.startNode} {
		if err := step(ctx, dir); err != nil {
			return c, err
		}
	}
	return c, nil
}

// settle claims the network and writes the directory.
func (c *Cluster) settle(ctx context.Context, dir string) error {
	c.Access = &Access{dir: dir}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return fmt.Errorf("make the cluster's directory: %w", err)
	}
	var err error
	if c.options.Node {
		c.Net, err = c.options.claim(ctx)
	} else {
		c.Net, err = loopback(ctx)
	}
	if err != nil {
		return err
	}
	if c.EtcdPorts, err = freePorts(ctx, 2); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, "cluster.json"), c.layout); err != nil {
		return err
	}
	if err := c.writeKeys(); err != nil {
		return err
	}
	c.Access, err = openKubeconfig(c.Kubeconfig())
	return err
}

func (c *Cluster) startControlPlane(ctx context.Context, _ string) error {
	for _, step := range []func(context.Context) error{c.startEtcd, c.startAPIServer, c.awaitAPIServer, c.startManagers, c.awaitControllers} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// claim makes the network of a cluster with a node.
func (o Options) claim(ctx context.Context) (network, error) {
	if o.at != nil {
		return claimNetwork(ctx, o.at.numbers, o.at.numbers)
	}
	return claimNetwork(ctx, firstRange, lastRange)
}

// url is where the API server is.
func (n network) url() string {
	return "https://" + net.JoinHostPort(n.API.String(), strconv.Itoa(n.Port))
}

// servers are the addresses that certificates name.
func (n network) servers() []net.IP {
	if n.Node == nil {
		return []net.IP{n.API}
	}
	return []net.IP{n.API, n.Node}
}

// readLayout reads what settle wrote.
func readLayout(dir string) (layout, error) {
	var found layout
	content, err := os.ReadFile(filepath.Join(dir, "cluster.json"))
	if err != nil {
		return found, fmt.Errorf("read the cluster's layout: %w", err)
	}
	if err := json.Unmarshal(content, &found); err != nil {
		return found, fmt.Errorf("read the cluster's layout: %w", err)
	}
	return found, nil
}

// program returns the path of a program of Kubernetes.
func (c *Cluster) program(name string) string { return filepath.Join(c.Programs, name) }

// run starts a program of the cluster.
func (c *Cluster) run(ctx context.Context, name, path string, args []string, env ...string) error {
	p, err := start(ctx, c.Logs(), run{name: name, path: path, args: args, env: env, detached: c.options.at != nil})
	if err != nil {
		return err
	}
	c.processes[name] = p
	return nil
}

// awaitProgram waits until a program does what it is for. One that ended is not
// waited for; its last words are in the error.
func (c *Cluster) awaitProgram(ctx context.Context, name string, try func(context.Context) error) error {
	err := await(ctx, func(ctx context.Context) error {
		err := try(ctx)
		if err != nil && !c.processes[name].alive() {
			return giveUp(fmt.Errorf("it has ended: %w", err))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w\n%s", name, err, tail(c.processes[name].log, 20))
	}
	return nil
}
