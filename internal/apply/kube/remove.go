package kube

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"

	"syncd.io/syncd/internal/resource"
)

// Remove deletes the object with this UID, and waits for its end, for a while. An
// object of the same name that is another one stays.
func (t *Target) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return t.hidden(t.remove(ctx, key, ref))
}

func (t *Target) remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	id, err := t.identity()
	if err != nil {
		return err
	}
	k, name, err := t.place(ctx, id, key)
	if errors.Is(err, errNoKind) { // nothing of it is known, or its kind is gone: it is, too
		t.ledger.drop(key)
		return nil
	}
	if err != nil {
		return err
	}
	if taken, err := t.taken(ctx, id, k, key, name); err != nil || taken {
		return err
	}
	if err := t.delete(ctx, id, k, key.Namespace, name, ref.ID); err != nil {
		return classified(err, "remove "+key.String())
	}
	if err := t.gone(ctx, id, key, k, key.Namespace, name, ref.ID); err != nil {
		return err
	}
	t.ledger.end(key, ref.ID)
	t.engine.forgetAutoscalers(key)
	return nil
}

// taken tells whether somebody else's labels are on the object by now: it is theirs,
// and forgotten here. What was seen of it may be as old as the rollout is long.
func (t *Target) taken(ctx context.Context, id *identity, k kind, key resource.Key, name string) (bool, error) {
	var place metadata.ResourceInterface = id.metadata.Resource(k.gvr)
	if k.namespaced {
		place = id.metadata.Resource(k.gvr).Namespace(key.Namespace)
	}
	var live *metav1.PartialObjectMetadata
	err := t.engine.bounded(ctx, func(ctx context.Context) (err error) {
		live, err = place.Get(ctx, name, metav1.GetOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, classified(err, "look at "+key.String())
	}
	if !labelled(live) || mine(live, t.engine.agent, t.app) {
		return false, nil
	}
	t.ledger.drop(key)
	return true, nil
}

// delete asks for the end of an object. "Already gone", and "it is another one by
// now", are success.
func (t *Target) delete(ctx context.Context, id *identity, k kind, namespace, name, uid string) error {
	policy, precondition := metav1.DeletePropagationBackground, types.UID(uid)
	err := t.engine.bounded(ctx, func(ctx context.Context) error {
		return id.client(k, namespace).Delete(ctx, name, metav1.DeleteOptions{
			PropagationPolicy: &policy, Preconditions: &metav1.Preconditions{UID: &precondition},
		})
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// place finds the kind of a slot: as it was applied, else as the watches show it.
func (t *Target) place(ctx context.Context, id *identity, key resource.Key) (kind, string, error) {
	if known, ok := t.ledger.get(key); ok {
		k, err := t.engine.kinds.served(ctx, schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
		return k, known.Name, err
	}
	for _, s := range t.engine.labelled(id.name, t.app, nil) {
		if s.key() == key {
			return s.kind, s.name, nil
		}
	}
	return kind{}, "", fmt.Errorf("%s: %w", key, errNoKind)
}
