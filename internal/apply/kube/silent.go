package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"

	"syncd.io/syncd/internal/nap"
)

// slow is when a first answer is so late that it is asked whether anybody is there.
const slow = 2 * time.Second

// silent gets an error where an answer is late because nobody is there: a watch that
// cannot connect only tries again. It gets nothing where somebody is, or ctx ends.
func (e *Engine) silent(ctx context.Context, id *identity, at scope) <-chan error {
	out := make(chan error, 1)
	e.owners.Go(func() {
		if nap.For(ctx, slow) != nil {
			return
		}
		err := e.bounded(ctx, func(ctx context.Context) error {
			_, err := placeOf(id, at).List(ctx, metav1.ListOptions{LabelSelector: LabelAgent + "=" + e.agent, Limit: 1})
			return err
		})
		if err != nil && ctx.Err() == nil && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
			out <- classified(err, "list "+at.kind.gvr.Resource)
		}
	})
	return out
}

// placeOf is where the objects of a scope are listed and watched.
func placeOf(id *identity, at scope) metadata.ResourceInterface {
	if at.namespace != "" && at.kind.namespaced {
		return id.metadata.Resource(at.kind.gvr).Namespace(at.namespace)
	}
	return id.metadata.Resource(at.kind.gvr)
}
