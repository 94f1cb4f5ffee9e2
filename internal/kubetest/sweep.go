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
	"strings"
	"syscall"
	"time"
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := await(ctx, func(context.Context) error { return killAll(dir, found.Net) }); err != nil {
		return fmt.Errorf("end the processes of the cluster in %s: %w", dir, err)
	}
	errs := []error{removeShimSockets(dir), unmountAll(dir)}
	if found.Net.Bridge != "" {
		errs = append(errs, found.Net.remove(ctx), removeCgroups(found.Net.cgroup()), forgetAddresses(found.Net.Bridge))
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
	running := ours(dir)
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

// ours returns the processes of a cluster's programs that name its directory.
func ours(dir string) []int {
	programs := append(built(), "etcd", "containerd", "containerd-shim-runc-v2")
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	var found []int
	for _, path := range commands {
		content, err := os.ReadFile(path)
		args := bytes.Split(content, []byte{0})
		if err != nil || !slices.Contains(programs, filepath.Base(string(args[0]))) || !bytes.Contains(content, []byte(dir+"/")) {
			continue // a process that has ended has no arguments
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}

// unmountAll takes off what is mounted below dir, the latest first.
func unmountAll(dir string) error {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("read the mounts: %w", err)
	}
	var errs []error
	for _, line := range slices.Backward(strings.Split(strings.TrimSpace(string(content)), "\n")) {
		fields := strings.Fields(line) // the fifth is the mount point, see proc_pid_mountinfo(5)
		if len(fields) < 5 || !strings.HasPrefix(fields[4], dir+"/") {
			continue
		}
		if err := syscall.Unmount(fields[4], syscall.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", fields[4], err))
		}
	}
	return errors.Join(errs...)
}

// removeShimSockets removes the sockets of killed shims, which containerd puts
// into a directory that all of a machine share; each shim's directory names its.
func removeShimSockets(dir string) error {
	files, _ := filepath.Glob(dir + "/containerd-state/io.containerd.runtime.v2.task/k8s.io/*/address") // well-formed
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a shim's address: %w", err)
		}
		if err := os.Remove(strings.TrimPrefix(string(content), "unix://")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a shim's socket: %w", err)
		}
	}
	return nil
}

// forgetAddresses removes what the network plugins remember of a network in a
// directory that all of a machine share.
func forgetAddresses(network string) error {
	files, _ := filepath.Glob("/var/lib/cni/results/" + network + "-*") // well-formed
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what a plugin remembers: %w", err)
		}
	}
	return nil
}

// StopAPIServer ends the API server as its operator would, and returns when it is
// gone. Everything else goes on.
func (c *Cluster) StopAPIServer() { c.processes["kube-apiserver"].stop(5 * time.Second) }

// StartAPIServer starts it again at the same address with the same data, and
// returns when it is ready.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	return c.awaitAPIServer(ctx)
}

// RestartAPIServer does both.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	c.StopAPIServer()
	return c.StartAPIServer(ctx)
}
