package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"syncd.io/syncd/internal/fault"
)

// classified says what kind of trouble an answer of the API server is, and what was
// being done. A nil err stays nil.
func classified(err error, doing string) error {
	if err == nil {
		return nil
	}
	class, hint := classOf(err)
	out := fault.As(class, fmt.Errorf("%s: %s", doing, textOf(err)))
	if class == fault.Unknown {
		out = fmt.Errorf("%s: %w", doing, err)
	}
	if hint != "" {
		out = fault.Hint(out, hint)
	}
	return out
}

// unseen says why something could not be looked at. Whatever the API server has against
// that, such as that it does not serve the kind for a while, is no fault of what is
// looked at.
func unseen(err error, doing string) error {
	out := classified(err, doing)
	if fault.Of(out) == fault.Rejected {
		return fault.As(fault.Unreachable, out)
	}
	return out
}

func classOf(err error) (class fault.Class, hint string) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return unanswered(err)
	}
	s := status.Status()
	switch {
	case strings.Contains(s.Message, "failed calling webhook") || strings.Contains(s.Message, "failed to call webhook"):
		return fault.Unreachable, "an admission webhook of the cluster does not answer; it is tried again"
	case strings.Contains(s.Message, "field not declared in schema") || strings.Contains(s.Message, "failed to create typed patch object"):
		return fault.Rejected, "the kind has no such field, or not with a value of this type"
	case apierrors.IsUnauthorized(err):
		return fault.Blocked, "the cluster does not accept the credentials: has the token or the certificate expired?"
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return fault.Blocked, "its namespace is being removed; it is tried again when that has ended: kubectl get namespace -o yaml tells what it waits for"
	case strings.Contains(s.Message, "while custom resource definition is terminating"):
		return fault.Blocked, "its definition is being removed; it is tried again when that has ended: kubectl get customresourcedefinitions -o yaml tells what it waits for"
	case strings.Contains(s.Message, "exceeded quota"):
		return fault.Rejected, "raise the ResourceQuota, or ask for less; then: syncd retry"
	case strings.Contains(s.Message, "admission webhook") && strings.Contains(s.Message, "denied the request"):
		return fault.Rejected, "an admission webhook of the cluster refuses it"
	case apierrors.IsForbidden(err) && strings.Contains(s.Message, " cannot "):
		return fault.Blocked, "grant it with a Role or ClusterRole, or let another kubernetes.serviceAccount apply the app"
	case s.Code == http.StatusNotFound && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse): // nobody serves the path
		return fault.Unreachable, "the cluster served its kind a moment ago and does not now: is its definition or its APIService being renewed?"
	case s.Code == http.StatusTooManyRequests || s.Code >= 500:
		return fault.Unreachable, ""
	case apierrors.IsConflict(err):
		return fault.Unreachable, "" // somebody was faster: the next look sees what they did
	default:
		return fault.Rejected, ""
	}
}

// unanswered classifies what is no answer of the API server.
func unanswered(err error) (fault.Class, string) {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Unknown, ""
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fault.Unreachable, "a certificate is not valid now: is this machine's clock right?"
	case errors.As(err, &unknown):
		return fault.Blocked, "the API server's certificate is signed by nobody whom the kubeconfig trusts"
	}
	return fault.Unreachable, ""
}

// textOf is what an error says, with the fields that an invalid object has named.
func textOf(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || status.Status().Reason != metav1.StatusReasonInvalid {
		return err.Error()
	}
	var parts []string
	for _, c := range status.Status().Details.Causes {
		parts = append(parts, c.Field+": "+c.Message)
	}
	if len(parts) == 0 {
		return err.Error()
	}
	return strings.Join(parts, "; ")
}

// immutable returns the fields that the API server refuses to change on a living
// object; none for any other error. It has no machine-readable word for that:
// these are the phrases of its own validation.
func immutable(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil || !apierrors.IsInvalid(err) {
		return nil
	}
	var fields []string
	for _, c := range status.Status().Details.Causes {
		if !fixed(c.Message) {
			return nil // something else is wrong, too
		}
		fields = append(fields, c.Field)
	}
	return fields
}

func fixed(message string) bool {
	for _, phrase := range []string{
		"field is immutable", "may not be changed", "cannot change roleRef", "may not change once set",
		"updates to statefulset spec for fields other than", "is immutable after creation", "updates to provisioner are forbidden",
		"updates to parameters are forbidden", "updates to reclaimPolicy are forbidden", "pod updates may not change fields other than",
		"may not change after creation", "may not be updated", "cannot be unset",
	} {
		if strings.Contains(message, phrase) {
			return true
		}
	}
	return false
}
