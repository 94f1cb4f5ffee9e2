package main

import (
	"context"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
)

// clusterOf is the cluster that the host's settings name.
func (w wiring) clusterOf(host config.Host, agent string) target {
	opts := kube.Options{
		Kubeconfig: host.Kubernetes.Kubeconfig, Context: host.Kubernetes.Context,
		Agent: agent, Version: thisBuild().Version, Deaf: w.deaf, Asked: w.meters.ofEngine(),
	}
	return target{name: "cluster", open: func(ctx context.Context) (engine, error) {
		e, err := kube.Open(ctx, opts)
		if err != nil {
			return nil, err
		}
		return kubeEngine{e}, nil
	}}
}

// kubeEngine fits the adapter to what a pass asks of an engine.
type kubeEngine struct{ *kube.Engine }

var (
	_ reconcile.Watcher = kubeEngine{}
	_ reconcile.Pinger  = kubeEngine{}
	_ reconcile.Keepers = kubeEngine{}
)

// Target returns the place of one app.
func (e kubeEngine) Target(app string) apply.Target { return e.Engine.Target(app) }
