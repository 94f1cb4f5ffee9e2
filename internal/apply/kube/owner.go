package kube

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// mine tells whether an object is labelled as this agent's, and the app's.
func mine(u metav1.Object, agent, app string) bool {
	return u.GetLabels()[LabelAgent] == agent && u.GetLabels()[LabelApp] == app
}

// labelled tells whether an object says of itself which agent's it is.
func labelled(u metav1.Object) bool { return u.GetLabels()[LabelAgent] != "" }

// holderOf is the app of this agent that has an object; empty where none has.
func holderOf(u metav1.Object, agent string) string {
	if u.GetLabels()[LabelAgent] != agent {
		return ""
	}
	return u.GetLabels()[LabelApp]
}

// makerOf says in words who made an object that is not ours.
func makerOf(u metav1.Object) string {
	labels, notes := u.GetLabels(), u.GetAnnotations()
	switch {
	case labels[LabelApp] != "" && labels[LabelManagedBy] == Manager:
		return "app " + labels[LabelApp] + " of syncd (agent " + labels[LabelAgent] + ")"
	case labels["kustomize.toolkit.fluxcd.io/name"] != "":
		return "Flux Kustomization " + labels["kustomize.toolkit.fluxcd.io/namespace"] + "/" + labels["kustomize.toolkit.fluxcd.io/name"]
	case labels["helm.toolkit.fluxcd.io/name"] != "":
		return "Flux HelmRelease " + labels["helm.toolkit.fluxcd.io/namespace"] + "/" + labels["helm.toolkit.fluxcd.io/name"]
	case notes["argocd.argoproj.io/tracking-id"] != "":
		app, _, _ := strings.Cut(notes["argocd.argoproj.io/tracking-id"], ":")
		return "Argo CD application " + app
	case labels["argocd.argoproj.io/instance"] != "":
		return "Argo CD application " + labels["argocd.argoproj.io/instance"]
	case notes["meta.helm.sh/release-name"] != "":
		return "Helm release " + notes["meta.helm.sh/release-namespace"] + "/" + notes["meta.helm.sh/release-name"]
	}
	for _, f := range u.GetManagedFields() {
		if human(f.Manager) {
			return "kubectl"
		}
	}
	for _, f := range u.GetManagedFields() {
		if f.Subresource == "" {
			return f.Manager
		}
	}
	return "something else"
}

// strangeFields are the fields that people have put on an object by hand beside
// ours, with the tool: server-side apply never sees them. What the cluster's own
// controllers put there is no news.
func strangeFields(fields []metav1.ManagedFieldsEntry) []string {
	var own *fieldpath.Set
	var out []string
	for i, f := range fields {
		if f.Subresource != "" || !human(f.Manager) {
			continue
		}
		if own == nil {
			var err error
			if own, err = ownSet(fields); err != nil {
				return nil
			}
		}
		set, err := setOf(&fields[i])
		if err != nil {
			continue
		}
		for path := range set.Difference(own).Leaves().All() {
			if shown := pathText(path); shown != "" {
				out = append(out, shown+" ("+f.Manager+")")
			}
		}
	}
	slices.Sort(out)
	return out
}

// pathText prints the path of a field as drift does; empty for what is no wish.
func pathText(path fieldpath.Path) string {
	text := strings.TrimPrefix(path.String(), ".")
	if strings.HasPrefix(text, "status") || strings.Contains(text, "kubectl.kubernetes.io/last-applied-configuration") {
		return ""
	}
	return text
}
