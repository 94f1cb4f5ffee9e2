package kube

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
)

// isLabel says what is wrong with the name of a namespace; "" where nothing is.
func isLabel(name string) string { return strings.Join(content.IsDNS1123Label(name), ", ") }

// wrongName says what is wrong with an object's name; "" where nothing is. What a
// name may be depends on its kind.
func wrongName(of groupKind, name string) string {
	switch {
	case of.group == "rbac.authorization.k8s.io": // system:node is one
		return strings.Join(content.IsPathSegmentName(name), ", ")
	case of.group == "networking.k8s.io" && of.kind == "IPAddress":
		return ""
	case of.group == "" && slices.Contains([]string{"Namespace", "Service"}, of.kind):
		return isLabel(name)
	default:
		return strings.Join(content.IsDNS1123Subdomain(name), ", ")
	}
}
