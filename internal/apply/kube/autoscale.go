package kube

import (
	"context"
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
	at   time.Time
	keys map[resource.Key]bool
}

// autoscales tells whether a HorizontalPodAutoscaler wants to scale a workload; also
// where that may not be asked.
func (e *Engine) autoscales(ctx context.Context, id *identity, key resource.Key) (bool, error) {
	k, err := e.kinds.find(ctx, schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"})
	if err != nil {
		return true, err
	}
	at := scope{account: id.name, kind: k, namespace: key.Namespace}
	if known, ok := e.autoscaledIn(at); ok {
		return known[key], nil
	}
	err = e.once.ask(ctx, fmt.Sprintf("autoscalers %s %s", at.account, at.namespace), func(ctx context.Context) error {
		return e.learnAutoscaled(ctx, id, at)
	})
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	known, _ := e.autoscaledIn(at)
	return err != nil || known[key], classified(err, "look for who scales "+key.String())
}

func (e *Engine) autoscaledIn(at scope) (map[resource.Key]bool, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.scaled[at]
	return known.keys, time.Since(known.at) < scalesFor
}

func (e *Engine) learnAutoscaled(ctx context.Context, id *identity, at scope) error {
	asked := time.Now()
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
	for at := range e.scaled {
		if at.namespace == key.Namespace {
			delete(e.scaled, at)
		}
	}
}
