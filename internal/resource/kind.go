package resource

import "slices"

// BuiltIn tells the API groups that every Kubernetes cluster serves; their kinds are
// called by their names alone.
func BuiltIn(group string) bool {
	return slices.Contains([]string{
		"", "apps", "batch", "autoscaling", "policy",
		"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
		"authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
		"flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io",
		"scheduling.k8s.io", "storage.k8s.io",
	}, group)
}

// KindOf is Key.Kind of an object on a cluster: Deployment, Certificate.cert-manager.io.
// Who renders an object and who finds it again have to name it alike.
func KindOf(group, kind string) string {
	if BuiltIn(group) {
		return kind
	}
	return kind + "." + group
}
