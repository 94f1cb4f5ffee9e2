package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// autoscaler is in whose name the cluster's own controller sets replicas.
const autoscaler = "kube-controller-manager"

// scalesFor is how long a list of autoscalers holds that nobody has made void.
const scalesFor = time.Minute

// autoscaled are the workloads of a namespace that HorizontalPodAutoscalers scale,
// whosever these are; KEDA makes one for each of its ScaledObjects.
type autoscaled struct {
	// at is when that was asked for; zero where it was made void before the answer came.
	at   time.Time
	keys map[resource.Key]bool
}

// tells whether what is known counts for a workload whose replicas were set at that
// time, by a clock that shows seconds. A list from before that may lack the autoscaler
// that has set them; one that was asked for since begun is as new as can be.
func (a autoscaled) tells(key resource.Key, set, begun time.Time) bool {
	if time.Since(a.at) >= scalesFor {
		return false
	}
	return a.keys[key] || a.at.After(set.Add(time.Second)) || !a.at.Before(begun)
}

// autoscales tells whether a HorizontalPodAutoscaler wants to scale a workload, whose
// replicas were set by one at that time; also where that may not, or cannot, be asked.
func (e *Engine) autoscales(ctx context.Context, id *identity, key resource.Key, set time.Time) (bool, error) {
	begun := time.Now()
	k, err := e.kinds.served(ctx, schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"})
	if errors.Is(err, errNoKind) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	at := scope{account: id.name, kind: k, namespace: key.Namespace}
	what := fmt.Sprintf("autoscalers %s %s %s", at.account, k.gvr, at.namespace)
	known := e.autoscaledIn(at)
	for tries := 0; tries < 2 && !known.tells(key, set, begun); tries++ { // the first may be what somebody has asked for earlier
		err := e.once.ask(ctx, what, func(ctx context.Context) error { return e.learnAutoscaled(ctx, id, at) })
		if apierrors.IsForbidden(err) {
			return true, nil
		}
		if err != nil {
			return true, classified(err, "look for who scales "+key.String())
		}
		known = e.autoscaledIn(at)
	}
	return known.keys == nil || known.keys[key], nil
}

func (e *Engine) autoscaledIn(at scope) autoscaled {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.scaled[at]
}

func (e *Engine) learnAutoscaled(ctx context.Context, id *identity, at scope) error {
	e.mu.Lock()
	asked, turn := time.Now(), e.scaledTurn
	e.mu.Unlock()
	list, err := id.client(at.kind, at.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	out := autoscaled{at: asked, keys: map[resource.Key]bool{}}
	for i := range list.Items {
		out.keys[scaleTarget(&list.Items[i], at.namespace)] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if turn != e.scaledTurn {
		out.at = time.Time{}
	}
	e.scaled[at] = out
	return nil
}

// forgetAutoscalers lets those of a namespace be looked for anew: one was put, or
// removed.
func (e *Engine) forgetAutoscalers(key resource.Key) {
	if key.Kind != "HorizontalPodAutoscaler" && key.Kind != "ScaledObject.keda.sh" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scaledTurn++
	for at := range e.scaled {
		if at.namespace == key.Namespace {
			delete(e.scaled, at)
		}
	}
}
