package kubetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// Stop ends everything that belongs to the cluster and removes its directory.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
	return sweep(ctx, c.dir)
}

// sweep ends what runs of the cluster in dir, whoever started it, and removes
// what there is of it: processes, mounts, network, cgroups, files. Nothing is
// asked to end in peace: nobody will look at it again. It touches only what names
// the directory or the network that the directory says it has.
func sweep(ctx context.Context, dir string) error {
	found, err := readLayout(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return sweepNetwork(ctx, dir, found.Net)
}

// sweepNetwork is sweep where the network is known.
func sweepNetwork(ctx context.Context, dir string, at network) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := await(ctx, func(context.Context) error { return killAll(dir, at) }); err != nil {
		return fmt.Errorf("end the processes of the cluster in %s: %w", dir, err)
	}
	errs := []error{removeShimSockets(dir), unmountAll(dir)}
	if at.Bridge != "" {
		errs = append(errs, at.remove(ctx), removeCgroups(at.cgroup()), forgetAddresses(at.Bridge), forgetPorts(ctx, at.Bridge), forgetLogs(dir))
	}
	if err := errors.Join(errs...); err != nil {
		return err // the directory stays: it says what is left
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the cluster's directory: %w", err)
	}
	return nil
}

// killAll kills what runs, and returns an error as long as something does.
func killAll(dir string, net network) error {
	var running []int
	for _, pids := range ours(dir) {
		running = append(running, pids...)
	}
	if net.Bridge != "" {
		running = append(running, members(net.cgroup())...)
	}
	for _, pid := range running {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return giveUp(fmt.Errorf("kill %d: %w", pid, err))
		}
	}
	if len(running) > 0 {
		return fmt.Errorf("%d processes have not ended: %v", len(running), running)
	}
	return nil
}

// ours returns, by program, the processes that name a cluster's directory.
func ours(dir string) map[string][]int {
	programs := append(built(), "etcd", "containerd", "containerd-shim-runc-v2")
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	found := map[string][]int{}
	for _, path := range commands {
		content, err := os.ReadFile(path)
		args := bytes.Split(content, []byte{0})
		name := filepath.Base(string(args[0]))
		if err != nil || !slices.Contains(programs, name) || !bytes.Contains(content, []byte(dir+"/")) {
			continue // a process that has ended has no arguments
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found[name] = append(found[name], pid)
		}
	}
	return found
}
