package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"syncd.io/syncd/internal/resource"
)

// retries is how often a change of managed fields is tried that somebody else's
// write made void.
const retries = 5

// formerly tells the managers whose hold ends when what they made is taken over:
// people's, and those of the tools that keep things as syncd does. Controllers of
// the cluster itself (a status, an autoscaler) keep theirs.
func formerly(manager string) bool {
	switch manager {
	case "before-first-apply", "helm", "Helm", "kustomize-controller", "helm-controller", "argocd-controller", "argocd-application-controller", "flux":
		return true
	}
	return human(manager)
}

// takeOver ends the hold that others have on an adopted object, once. The fields
// that we own become ours alone: what goes from Git later would stay for as long as
// somebody else is said to want it, too. Fields that only they have set are left to
// them. The marks by which they know the object as theirs go.
func (t *Target) takeOver(ctx context.Context, id *identity, w *wanted, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !t.isAdopted(string(live.GetUID())) {
		return live, nil
	}
	doing := "take " + w.object.Key.String() + " over from those who kept it"
	for try := 1; ; try++ {
		fields, changed, err := withoutOthers(live.GetManagedFields())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		marks := marksOf(live, w.manifest)
		if !changed && len(marks) == 0 {
			return live, nil
		}
		after, err := t.release(ctx, id, w, live, fields, marks)
		switch {
		case err == nil:
			return after, nil
		case !apierrors.IsConflict(err) || try == retries:
			return nil, classified(err, doing)
		}
		if live, err = t.engine.get(ctx, id.at(w), w.manifest.GetName()); err != nil {
			return nil, classified(err, doing)
		}
	}
}

// release writes the managed fields of an object without others, and takes their
// marks from it, if it is still as it was.
func (t *Target) release(ctx context.Context, id *identity, w *wanted, live *unstructured.Unstructured, fields []metav1.ManagedFieldsEntry, marks []string) (after *unstructured.Unstructured, err error) {
	ops := []map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": fields},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	}
	for _, mark := range marks {
		ops = append(ops, map[string]any{"op": "remove", "path": mark})
	}
	patch, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	err = t.engine.bounded(ctx, func(ctx context.Context) error {
		after, err = id.at(w).Patch(ctx, live.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
	return after, err
}

// withoutOthers takes the fields that we own from those who had them before, and
// tells whether they had any.
func withoutOthers(fields []metav1.ManagedFieldsEntry) (out []metav1.ManagedFieldsEntry, changed bool, err error) {
	own, err := ownSet(fields)
	if err != nil {
		return nil, false, err
	}
	for _, f := range fields {
		if f.Subresource != "" || !formerly(f.Manager) {
			out = append(out, f)
			continue
		}
		set, err := setOf(&f)
		if err != nil {
			return nil, false, err
		}
		left := theirsAlone(set, own)
		if left.Equals(set) {
			out = append(out, f)
			continue
		}
		changed = true
		if left.Empty() {
			continue
		}
		raw, err := left.ToJSON()
		if err != nil {
			return nil, false, fmt.Errorf("write the managed fields of %s: %w", f.Manager, err)
		}
		f.FieldsV1 = metav1.NewFieldsV1(string(raw))
		out = append(out, f)
	}
	return out, changed, nil
}

// theirsAlone are those of set that we do not own. A map or a list that has fields of
// ours in it is ours, too, and the marks of a tool are nobody's any more.
func theirsAlone(set, own *fieldpath.Set) *fieldpath.Set {
	left := fieldpath.NewSet()
	set.Iterate(func(path fieldpath.Path) {
		if !own.Has(path) && !holds(own, path) && !ofMarks(path) {
			left.Insert(path.Copy())
		}
	})
	return left
}

// holds tells whether anything below path is in set.
func holds(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, element := range path {
		set = set.WithPrefix(element)
	}
	return !set.Empty()
}

// ofMarks tells the path of a mark, and those of the maps that marks are in.
func ofMarks(path fieldpath.Path) bool {
	if len(path) < 2 || path[0].FieldName == nil || *path[0].FieldName != "metadata" || path[1].FieldName == nil {
		return false
	}
	if place := *path[1].FieldName; place != "labels" && place != "annotations" {
		return false
	}
	return len(path) == 2 || path[2].FieldName != nil && isMark(*path[2].FieldName)
}

// isAdopted tells whether a person's word made the object with this UID ours.
func (t *Target) isAdopted(uid string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.adopted, func(r resource.Ref) bool { return r.ID == uid })
}

// marksOf are the places of the labels and annotations by which other tools know
// what is theirs, and that Git does not want: a tool that finds them later would
// remove the object, or put its own back.
func marksOf(live, want *unstructured.Unstructured) []string {
	var out []string
	add := func(place string, has, wants map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(has)) {
			if _, wanted := wants[name]; !wanted && isMark(name) {
				out = append(out, "/metadata/"+place+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
			}
		}
	}
	add("labels", live.GetLabels(), want.GetLabels())
	add("annotations", live.GetAnnotations(), want.GetAnnotations())
	return out
}

func isMark(name string) bool {
	owner, _, _ := strings.Cut(name, "/")
	switch owner {
	case "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "meta.helm.sh", "argocd.argoproj.io":
		return true
	}
	return name == "kubectl.kubernetes.io/last-applied-configuration"
}
