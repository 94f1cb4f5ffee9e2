package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// compare looks at a live object of ours that may differ. What this process has
// seen of it before is enough where nobody has touched a field of ours since.
func (l *look) compare(ctx context.Context, p resource.Pair, w *wanted, known entry, seen *sighting) (resource.Pair, error) {
	if seen != nil && known.UID == seen.uid && known.Own == seen.own && !seen.deleting { // no watch has shown it yet: nil
		if p, done, err := l.compareStored(ctx, p, w, known, seen); done || err != nil {
			return p, err
		}
	}
	live, err := l.get(ctx, w)
	if apierrors.IsNotFound(err) {
		l.ledger.dropKnown(w.object.Key, known)
		return p, nil
	}
	if err != nil {
		return p, classified(err, "look at "+w.object.Key.String())
	}
	return l.compareWith(ctx, p, w, live)
}

// compareStored compares with what is remembered of the live object: nobody has
// touched a field of ours since. It is not done where other fields are to be ours
// than were, for what these are now is not known.
func (l *look) compareStored(ctx context.Context, p resource.Pair, w *wanted, known entry, seen *sighting) (_ resource.Pair, done bool, err error) {
	if known.stored == nil || l.isScaled(w.object.Key) || scaler(seen.scaled) != "" {
		return p, false, nil
	}
	stored, err := l.dryRun(ctx, w)
	if err != nil {
		return p, false, nil //nolint:nilerr // it is asked again beside the live object, and told then
	}
	own, err := ownIn(stored)
	if err != nil || own == nil || fieldsHash(own) != known.fields {
		return p, false, err
	}
	then, err := setOf(own)
	if err != nil {
		return p, false, err
	}
	inst := resource.Instance{Ref: resource.Ref{ID: known.UID, Generation: seen.generation}, Running: true}
	if p.Stored, err = resource.Canonical(projected(stored, then)); err != nil {
		return p, false, err
	}
	inst.Spec = known.stored
	if string(p.Stored) == string(inst.Spec) {
		inst.Hash, known.Want, known.Checked = w.object.Hash(), w.hash, time.Now().Truncate(time.Minute)
		l.ledger.setSince(w.object.Key, known, l.begun)
	}
	p.Aside = seen.strange
	if inst.Health, err = l.feels(ctx, w, known, seen.version, nil); err != nil {
		return p, false, err
	}
	p.Live = []resource.Instance{inst}
	l.markJob(&p, w)
	return p, true, nil
}

// compareWith compares a live object with what the server would store of the
// wanted one: with a dry run of the very request that would apply it.
func (l *look) compareWith(ctx context.Context, p resource.Pair, w *wanted, live *unstructured.Unstructured) (resource.Pair, error) {
	inst := resource.Instance{Ref: resource.Ref{ID: string(live.GetUID()), Generation: live.GetGeneration()}, Running: true}
	owner, err := l.scalerOf(ctx, l.identity, w, live.GetManagedFields())
	if err != nil {
		return p, err
	}
	w.yield(l.isScaled(w.object.Key), live, owner)
	stored, err := l.dryRun(ctx, w)
	var forms forms
	switch fields := immutable(err); {
	case err == nil:
		forms, err = formsOf(stored, live)
	case len(fields) > 0:
		if err = l.provable(ctx, w); err == nil {
			forms, err = offlineForms(w.manifest, live)
			p.InPlace = nil
		}
	default:
		err = classified(err, "compare "+w.object.Key.String())
	}
	if err != nil {
		return p, err
	}
	if live.GetDeletionTimestamp() != nil {
		forms.live["deletionTimestamp"] = live.GetDeletionTimestamp().UTC().Format("2006-01-02T15:04:05Z")
	}
	p.By = forms.by
	if p.Stored, err = resource.Canonical(forms.stored); err != nil {
		return p, err
	}
	if inst.Spec, err = resource.Canonical(forms.live); err != nil {
		return p, err
	}
	if string(p.Stored) == string(inst.Spec) {
		inst.Hash = w.object.Hash()
	}
	p.Aside = strangeFields(live.GetManagedFields())
	known := l.note(w, live, p.InPlace != nil && !forms.lent && string(p.Stored) == string(inst.Spec))
	if inst.Health, err = l.feels(ctx, w, known, live.GetResourceVersion(), live); err != nil {
		return p, err
	}
	p.Live = []resource.Instance{inst}
	l.markJob(&p, w)
	return p, nil
}

// note remembers what was found, and whether it was equal.
func (l *look) note(w *wanted, live *unstructured.Unstructured, equal bool) entry {
	known := entryOf(w, live)
	if !equal {
		known.Want = ""
	}
	if before, ok := l.ledger.get(w.object.Key); ok && before.UID == known.UID {
		known.Health, known.HealthAt, known.naming = before.Health, before.HealthAt, before.naming
	}
	l.ledger.setSince(w.object.Key, known, l.begun)
	return known
}

// entryOf is what is remembered of an object that is as wanted.
func entryOf(w *wanted, live *unstructured.Unstructured) entry {
	own, err := ownIn(live)
	if err != nil { // without it, nothing is taken for equal
		own = nil
	}
	return entry{
		APIVersion: w.kind.version, Kind: w.kind.gvk.Kind, Namespace: w.object.Key.Namespace, Name: w.object.Key.Name,
		UID: string(live.GetUID()), Want: w.hash, Own: hashOf(own), generation: live.GetGeneration(),
		Settled: health.Settled(w.manifest, w.object.Check), stored: ownFields(live, own), fields: fieldsHash(own), Checked: time.Now().Truncate(time.Minute),
	}
}

func (l *look) get(ctx context.Context, w *wanted) (*unstructured.Unstructured, error) {
	return l.engine.get(ctx, l.identity.at(w), w.manifest.GetName())
}

func (l *look) dryRun(ctx context.Context, w *wanted) (stored *unstructured.Unstructured, err error) {
	err = l.engine.bounded(ctx, func(ctx context.Context) error {
		stored, err = l.identity.apply(ctx, w, true)
		return err
	})
	return stored, err
}

// provable asks the server whether the object could be made anew: what is live is
// never removed before that is known. It goes by another name, for its own is taken.
func (l *look) provable(ctx context.Context, w *wanted) error {
	trial := w.manifest.DeepCopy()
	trial.SetName(trialName(trial.GetName()))
	err := l.engine.bounded(ctx, func(ctx context.Context) error {
		_, err := l.identity.at(w).Create(ctx, trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: Manager, FieldValidation: metav1.FieldValidationStrict})
		return err
	})
	return classified(err, "try to make "+w.object.Key.String()+" anew")
}

func trialName(name string) string {
	const longest, suffix = 52, "-syncd-trial"
	return name[:min(len(name), longest-len(suffix))] + suffix
}
