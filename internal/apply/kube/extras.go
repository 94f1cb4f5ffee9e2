package kube

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// extras are the objects that are the app's and that nothing wants any more: those
// that the watches show with its label, and those that were applied and have lost
// it. What is on its way out already is none.
func (l *look) extras(ctx context.Context) ([]resource.Pair, error) {
	wanted := make(map[resource.Key]bool, len(l.want))
	for _, o := range l.want {
		wanted[o.Key] = true
	}
	var out []resource.Pair
	for _, s := range l.engine.labelled(l.identity.name, l.app, wanted) {
		key := s.key()
		if !wanted[key] && !l.ledger.isGone(s.uid) {
			wanted[key] = true
			out = appendExtra(out, key, s)
		}
	}
	for _, key := range l.ledger.besides(wanted) {
		known, _ := l.ledger.get(key)
		s, err := l.find(ctx, key, known)
		if err != nil {
			return nil, err
		}
		if s == nil || s.uid != known.UID || s.app != "" && s.app != l.app || s.agent != "" && s.agent != l.engine.agent { // gone, or another's by now
			l.ledger.drop(key)
			continue
		}
		out = appendExtra(out, key, s)
	}
	return out, nil
}

func appendExtra(out []resource.Pair, key resource.Key, s *sighting) []resource.Pair {
	if s.deleting || s.own == "" { // a label that was copied, as from a Service to its Endpoints, makes nothing ours
		return out
	}
	p := resource.Pair{Key: key, Group: key.String(), Alone: true, Kept: s.keep || kept(key.Kind)}
	if p.Kept {
		p.Group = "" // it goes last
	}
	p.Live = []resource.Instance{{Ref: resource.Ref{ID: s.uid}, Running: true, Health: resource.Health{State: resource.Well, Started: true}}}
	return append(out, p)
}

// find looks for a remembered object that no watch shows.
func (l *look) find(ctx context.Context, key resource.Key, known entry) (*sighting, error) {
	k, err := l.engine.kinds.served(ctx, schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if errors.Is(err, errNoKind) {
		return nil, nil //nolint:nilnil // its kind is gone, and it with that
	}
	if err != nil {
		return nil, err
	}
	var meta *metav1.PartialObjectMetadata
	err = l.engine.bounded(ctx, func(ctx context.Context) error {
		place := l.identity.metadata.Resource(k.gvr)
		if k.namespaced {
			meta, err = place.Namespace(known.Namespace).Get(ctx, known.Name, metav1.GetOptions{})
		} else {
			meta, err = place.Get(ctx, known.Name, metav1.GetOptions{})
		}
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // nothing is there
	}
	if err != nil {
		return nil, classified(err, "look at "+key.String())
	}
	seen := sight(k, meta)
	return &seen, nil
}

// kept tells the kinds whose removal takes data, or other objects, with it: it needs
// consent.
func kept(kind string) bool {
	switch kind {
	case "PersistentVolumeClaim", "PersistentVolume", "Namespace", "CustomResourceDefinition":
		return true
	}
	return false
}

// keptAnew tells the kinds that are made anew with consent only: custom resources
// among them, for nobody knows what their controller removes with them.
func keptAnew(of schema.GroupVersionKind) bool {
	return kept(of.Kind) || of.Kind == "StatefulSet" || !resource.BuiltIn(of.Group)
}
