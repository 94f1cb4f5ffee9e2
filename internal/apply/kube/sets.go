package kube

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/apply/kube/health"
)

// sort adds what tells the new pods of a Deployment from its old ones: the name of
// its newest ReplicaSet where its controller has said it. Only where that cannot be
// told are the ReplicaSets asked for.
func (l *lookout) sort(ctx context.Context, out *shown, known *naming, of health.Part) (err error) {
	pods := out.parts
	out.set = setName{template: l.templateOf(out.object)}
	out.set.name = known.nameOf(out.object, out.set.template)
	if out.set.name != "" && (known.lately(l.engine.naming) || !misled(out.object, out.set.name, pods)) {
		out.parts = append(pods, health.StandIn(out.object, out.set.name, pods))
		return nil
	}
	sets := l.knownSets()
	late := !known.soon(out.object, l.engine.naming) || complete(out.object)
	if (late || out.set.name != "") && orphans(pods, sets) {
		if sets, err = l.learnSets(ctx, out.object, of); err != nil {
			return err
		}
	}
	out.set.name, out.parts = health.NewestSet(out.object, sets), append(pods, sets...)
	return nil
}

// misled tells whether none of the pods is of the ReplicaSet of that name, although
// there are new ones by the controller's count.
func misled(object *unstructured.Unstructured, name string, pods []unstructured.Unstructured) bool {
	updated, _, _ := unstructured.NestedInt64(object.Object, "status", "updatedReplicas")
	return updated > 0 && len(pods) > 0 && !slices.ContainsFunc(pods, func(p unstructured.Unstructured) bool {
		owner := metav1.GetControllerOfNoCopy(&p)
		return owner != nil && owner.Name == name
	})
}

// complete tells whether a Deployment's pods are as many, and as new, as they should
// be: then it is to be told how they are.
func complete(object *unstructured.Unstructured) bool {
	want, says, _ := unstructured.NestedInt64(object.Object, "spec", "replicas")
	if !says {
		want = 1
	}
	status := func(name string) int64 {
		n, _, _ := unstructured.NestedInt64(object.Object, "status", name)
		return n
	}
	return status("updatedReplicas") >= want && status("availableReplicas") >= want
}

// orphans tells whether a pod's ReplicaSet was not seen yet.
func orphans(pods, sets []unstructured.Unstructured) bool {
	known := map[types.UID]bool{}
	for _, s := range sets {
		known[s.GetUID()] = true
	}
	for _, p := range pods {
		if owner := metav1.GetControllerOfNoCopy(&p); owner != nil && owner.Kind == "ReplicaSet" && !known[owner.UID] {
			return true
		}
	}
	return false
}

func (l *lookout) knownSets() []unstructured.Unstructured {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sets)
}

func (l *lookout) learnSets(ctx context.Context, object *unstructured.Unstructured, of health.Part) ([]unstructured.Unstructured, error) {
	what := fmt.Sprintf("sets %s %s %s", l.id.name, object.GetUID(), of.Selector)
	sets, err := answerOf(ctx, &l.engine.once, what, func(ctx context.Context) (items []unstructured.Unstructured, err error) {
		err = l.engine.bounded(ctx, func(ctx context.Context) error {
			list, err := l.id.dynamic.Resource(of.Resource).Namespace(object.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: of.Selector})
			if err == nil {
				items = list.Items
			}
			return err
		})
		return items, err
	})
	if err != nil {
		return l.knownSets(), unseen(err, "list its ReplicaSets")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets = sets
	return slices.Clone(sets), nil
}
