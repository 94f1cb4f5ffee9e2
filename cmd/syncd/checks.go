package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/server"
)

// What the state directory's disk must have free: room for a fetch, and for the
// record.
const (
	leastFree  = 512 << 20
	leastFiles = 1000
)

// failing is a finding of an error, with its hint as the fix.
func failing(check string, err error, fix string) finding {
	return finding{Check: check, Detail: err.Error(), Fix: cmp.Or(fault.Advice(err), fix)}
}

func checkProgram(ctx context.Context) (sandbox.Child, finding) {
	const name = "renderer"
	child, err := sandbox.Find(ctx)
	if err != nil {
		return child, failing(name, err, "install "+sandbox.Program+" beside syncd")
	}
	detail := child.Path + ", without network while it renders"
	if !child.Isolates() {
		detail = child.Path + "; this system does not let it be cut off from the network"
	}
	return child, finding{Check: name, OK: true, Detail: detail}
}

// checkTarget asks the engine, or the cluster, what it is.
func checkTarget(ctx context.Context, host config.Host) finding {
	if host.Kubernetes != nil {
		return checkCluster(ctx, host)
	}
	return checkEngine(ctx, host)
}

func checkEngine(ctx context.Context, host config.Host) finding {
	const name, fix = "engine", "see that it runs (systemctl status docker), and that this user may use its socket (sudo, or the group docker)"
	if err := (wiring{engine: required}).engineNamed(host); err != nil {
		return failing(name, err, fix)
	}
	engine, err := docker.Open(ctx, docker.Options{Host: host.Docker})
	if err != nil {
		return failing(name, err, fix)
	}
	facts, err := engine.Facts(ctx)
	if err := errors.Join(err, engine.Close()); err != nil {
		return failing(name, err, fix)
	}
	return finding{Check: name, OK: true, Detail: fmt.Sprintf("Docker %s, API %s, %d CPUs, %d MiB", facts.Version, facts.API, facts.CPUs, facts.Memory>>20)}
}

func checkCluster(ctx context.Context, host config.Host) finding {
	const name, fix = "cluster", "see that kubectl cluster-info answers with the same kubeconfig and context"
	cluster, err := kube.Open(ctx, kube.Options{Kubeconfig: host.Kubernetes.Kubeconfig, Context: host.Kubernetes.Context, Version: thisBuild().Version})
	if err != nil {
		return failing(name, err, fix)
	}
	facts, err := cluster.Facts(ctx)
	if err := errors.Join(err, cluster.Close()); err != nil {
		return failing(name, err, fix)
	}
	return finding{Check: name, OK: true, Detail: fmt.Sprintf("Kubernetes %s at %s, %d kinds", facts.Version, facts.Server, facts.Kinds)}
}

// checkDisk looks at the disk of the state directory, or where it would be made.
func checkDisk(host config.Host) finding {
	const name = "disk"
	dir, room := host.State, "make room (docker image prune), or choose another --state"
	if host.Kubernetes != nil {
		room = "make room, or choose another --state"
	}
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	const write = 2
	if err := syscall.Access(dir, write); err != nil {
		return failing(name, fmt.Errorf("write into %s: %w", dir, err), "run as root, or choose another --state")
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return failing(name, fmt.Errorf("look at the disk of %s: %w", dir, err), "choose another --state")
	}
	free := int64(fs.Bavail) * fs.Bsize
	switch {
	case free < leastFree:
		return failing(name, fmt.Errorf("%s has %d MiB free: want %d MiB", dir, free>>20, leastFree>>20), room)
	case fs.Files > 0 && fs.Ffree < leastFiles:
		return failing(name, fmt.Errorf("%s has room for %d more files: want %d", dir, fs.Ffree, leastFiles), "remove files, or choose another --state")
	}
	return finding{Check: name, OK: true, Detail: fmt.Sprintf("%s has %.1f GiB free", dir, float64(free)/(1<<30))}
}

func checkSocket(ctx context.Context, host config.Host) finding {
	const name = "agent"
	about, err := server.Client{Socket: host.Socket}.About(ctx)
	switch {
	case errors.Is(err, server.ErrNoAgent):
		return finding{Check: name, OK: true, Detail: "none runs at " + host.Socket + ": the verbs work on " + host.State}
	case err != nil:
		return failing(name, err, "restart the agent")
	case about.Version != thisBuild().Version:
		return failing(name, fmt.Errorf("the agent at %s is syncd %s, this is %s", host.Socket, about.Version, thisBuild().Version), "restart the agent, so that both are of one version")
	}
	return finding{Check: name, OK: true, Detail: "it answers at " + host.Socket + " and follows " + about.Repo}
}
