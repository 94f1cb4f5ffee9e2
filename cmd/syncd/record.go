package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// record is all that an agent remembers, and who it is by that.
type record interface {
	reconcile.Store
	source.Anchors
	// ID names the agent.
	ID() string
	// Last returns the ID of the newest entry; zero where there is none.
	Last() (uint64, error)
}

// seat is the place of an agent that leads: leads tells whether it is still its
// own, lost is told where another agent sits there.
type seat struct {
	leads func() error
	lost  func(error)
}

// inSecrets tells whether the record is kept in the cluster: where the settings
// say so, and in a pod, which has no disk that lasts.
func inSecrets(host config.Host) bool {
	k := host.Kubernetes
	if k == nil {
		return false
	}
	return k.Record == "secrets" || k.Record == "" && kube.InPod()
}

// ownNamespace is where the agent's own things are.
func ownNamespace(k config.Kubernetes) string {
	return cmp.Or(k.Namespace, kube.PodNamespace(), "syncd")
}

// openRecord opens the record on disk, under the lock of the state directory, or
// in the cluster, under the lease. Errors: Blocked where another agent has it.
func (w wiring) openRecord(ctx context.Context, host config.Host, open *closers) (record, error) {
	if !inSecrets(host) {
		store, err := state.Open(host.State)
		if err != nil {
			return nil, err
		}
		open.add(store.Close)
		return store, nil
	}
	election, err := electionOf(host)
	if err != nil {
		return nil, err
	}
	if w.seat.leads == nil { // a verb of its own
		leads, release, err := takeTurn(ctx, election)
		if err != nil {
			return nil, err
		}
		open.add(release)
		w.seat.leads = leads
	}
	secrets, err := kube.NewSecrets(election.Config, election.Namespace)
	if err != nil {
		return nil, err
	}
	return state.OpenCluster(ctx, state.ClusterOptions{Blobs: secrets, Place: "namespace " + election.Namespace, Fence: w.seat.leads, Lost: w.seat.lost})
}

// electionOf is the election for the host's record.
func electionOf(host config.Host) (kube.Election, error) {
	k := *host.Kubernetes
	cfg, err := kube.Config(k.Kubeconfig, k.Context, thisBuild().Version)
	if err != nil {
		return kube.Election{}, err
	}
	name, err := os.Hostname()
	if err != nil {
		return kube.Election{}, fmt.Errorf("find this machine's name: %w", err)
	}
	return kube.Election{Config: cfg, Namespace: ownNamespace(k), Identity: name + "_" + rand.Text()[:8]}, nil
}

// podOf is the machine or pod of an identity.
func podOf(identity string) string {
	name, _, _ := strings.Cut(identity, "_")
	return name
}

// standingBy is the answer of who does not lead.
func standingBy(leader, namespace string) error {
	if leader == "" {
		return fault.Hint(fault.As(fault.Blocked, errors.New("standby; nobody leads yet")), "try again in a moment")
	}
	err := fault.As(fault.Blocked, fmt.Errorf("standby; the leader is %s", podOf(leader)))
	return fault.Hint(err, fmt.Sprintf("ask there: kubectl -n %s exec %s -- syncd ..., or on that machine where it is none of the cluster's pods", namespace, podOf(leader)))
}

// takeTurn leads for as long as one verb takes, where nobody else does: release
// gives the lease back. Errors: Blocked where another agent leads.
func takeTurn(ctx context.Context, election kube.Election) (leads func() error, release func() error, err error) {
	trying, giveUp := context.WithCancelCause(ctx)
	election.Standby = func(leader string) {
		if leader != "" {
			giveUp(standingBy(leader, election.Namespace))
		}
	}
	election.Trouble = giveUp
	taken, over, ended := make(chan func() error, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- election.Lead(trying, func(_ context.Context, leads func() error) error {
			taken <- leads
			<-over
			return nil
		})
	}()
	select {
	case leads := <-taken:
		return leads, func() error { close(over); defer giveUp(nil); return <-ended }, nil
	case err := <-ended:
		defer giveUp(nil)
		if err == nil {
			err = context.Cause(trying)
		}
		return nil, nil, err
	}
}
