package kubetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

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

// forgetAddresses removes what the network plugins remember of a network's pods,
// in a directory that all of a machine share.
func forgetAddresses(network string) error {
	const memory = "/var/lib/cni/results/"
	files, _ := filepath.Glob(memory + network + "-*-eth0") // well-formed
	for _, file := range files {
		pod := strings.TrimSuffix(strings.TrimPrefix(file, memory+network+"-"), "-eth0")
		for _, name := range []string{memory + "cni-loopback-" + pod + "-lo", file} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove what a plugin remembers: %w", err)
			}
		}
	}
	return nil
}

// forgetLogs removes the links to containers' logs that the kubelet makes in a
// directory that all of a machine share.
func forgetLogs(dir string) error {
	links, _ := filepath.Glob("/var/log/containers/*.log") // well-formed
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(to, dir+"/") {
			continue // not a link, or not ours
		}
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a link to a log: %w", err)
		}
	}
	return nil
}

// forgetPorts removes the translations of host ports for pods of a network that
// no longer run. Each has a chain of its own, which a rule with the network's
// name in its comment leads to.
func forgetPorts(ctx context.Context, network string) error {
	out, err := exec.CommandContext(ctx, "iptables", "-w", "10", "-t", "nat", "-S").CombinedOutput()
	if err != nil {
		return fmt.Errorf("list the translations of ports: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, `name: \"`+network+`\"`) || !strings.HasPrefix(line, "-A CNI-HOSTPORT-DNAT ") {
			continue
		}
		chain := strings.Fields(line)[slices.Index(strings.Fields(line), "-j")+1]
		// A rule is listed as a shell reads it: with quotes within quotes.
		forget := "iptables -w 10 -t nat -D" + strings.TrimPrefix(strings.TrimSpace(line), "-A")
		if err := tool(ctx, "sh", "-c", forget); err != nil {
			return err
		}
		for _, verb := range []string{"-F", "-X"} {
			if err := iptables(ctx, "nat", verb, chain); err != nil {
				return err
			}
		}
	}
	return nil
}
