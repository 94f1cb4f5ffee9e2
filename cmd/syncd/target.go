package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/config"
)

// aim puts the flags that name a target over the configuration: an engine or a
// cluster, whichever the file named.
func (f *flags) aim(h *config.Host) error {
	if err := config.CheckEngine("--docker", f.docker); err != nil {
		return err
	}
	if f.docker != "" {
		h.Docker, h.Kubernetes = f.docker, nil
	}
	if f.kubeconfig+f.context == "" {
		return nil
	}
	cluster := config.Kubernetes{}
	if h.Kubernetes != nil {
		cluster = *h.Kubernetes
	}
	if f.kubeconfig != "" {
		path, err := filepath.Abs(f.kubeconfig)
		if err != nil {
			return fmt.Errorf("find --kubeconfig: %w", err)
		}
		cluster.Kubeconfig, cluster.Context = path, "" // a context is one of its file's
	}
	cluster.Context = cmp.Or(f.context, cluster.Context)
	h.Docker, h.Kubernetes = "", &cluster
	return nil
}

// atHome lets an agent that runs in a cluster keep that cluster, where nothing
// names another target.
func atHome(h *config.Host, inPod bool) {
	if inPod && h.Kubernetes == nil && h.Docker == "" && os.Getenv("DOCKER_HOST") == "" {
		h.Kubernetes = &config.Kubernetes{}
	}
}
