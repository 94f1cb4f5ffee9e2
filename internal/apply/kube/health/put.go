package health

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Manager is the field manager in whose name objects are put.
const Manager = "syncd"

// putAt is when an object was last changed by a put, by the API server's clock; zero
// where that is not known. What happened before is no fault of what was put then: a
// change may keep the pods that there are, and with them all that they have been
// through.
func putAt(object *unstructured.Unstructured) time.Time {
	for _, entry := range items(object.Object, "metadata", "managedFields") {
		if text(entry, "manager") != Manager || text(entry, "operation") != string(metav1.ManagedFieldsOperationApply) || text(entry, "subresource") != "" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, text(entry, "time")); err == nil {
			return at
		}
	}
	return time.Time{}
}

// waits tells whether something has lasted for longer than grace, since then or since
// the put, whichever came later; not where the one or now is unknown.
func (s *subject) waits(since time.Time, grace time.Duration) bool {
	if !since.IsZero() && since.Before(s.put) {
		since = s.put
	}
	return past(since, grace, s.now)
}

// isNews tells whether a container's run tells of what was put: it began since then,
// or its pod was made since then.
func (s *subject) isNews(pod *corev1.Pod, end *corev1.ContainerStateTerminated) bool {
	begun := end.StartedAt.Time
	if begun.Unix() <= 0 { // it could not be started
		begun = end.FinishedAt.Time
	}
	return !pod.CreationTimestamp.Time.Before(s.put) || !begun.Before(s.put)
}
