package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply/kube/health"
)

// partsNow asks for what an object runs, once: for its pods, and for ReplicaSets
// where it is not known which of them is the newest.
func (e *Engine) partsNow(ctx context.Context, id *identity, object *unstructured.Unstructured, known *naming) ([]unstructured.Unstructured, error) {
	want := health.Parts(object)
	if len(want) == 0 {
		return nil, nil
	}
	pods, err := e.listed(ctx, id, object, want[len(want)-1])
	if err != nil || len(want) == 1 {
		return pods, err
	}
	if name := known.nameOf(object, templateOf(object)); name != "" && !misled(object, name, pods) {
		return append(pods, health.StandIn(object, name, pods)), nil
	}
	sets, err := e.listed(ctx, id, object, want[0])
	return append(pods, sets...), err
}

// listed asks for the parts of one kind.
func (e *Engine) listed(ctx context.Context, id *identity, object *unstructured.Unstructured, of health.Part) (out []unstructured.Unstructured, err error) {
	err = e.bounded(ctx, func(ctx context.Context) error {
		list, err := id.dynamic.Resource(of.Resource).Namespace(object.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: of.Selector})
		if err == nil {
			out = list.Items
		}
		return err
	})
	return out, classified(err, "list the "+of.Resource.Resource+" of "+object.GetName())
}
