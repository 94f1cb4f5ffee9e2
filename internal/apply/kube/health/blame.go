package health

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Culprit is the container whose output says most about a verdict.
type Culprit struct {
	Pod, Container string
	// Previous is true where the run before the present one is meant.
	Previous bool
}

// Blame returns the container to read the last lines of: the one that Of's reason
// names, else the one that was restarted most. ok is false where no container of
// the newest revision has run, such as for an image that cannot be pulled.
// Arguments as for Of.
func Blame(object *unstructured.Unstructured, parts []unstructured.Unstructured, now time.Time) (guilty Culprit, ok bool) {
	if object == nil || len(object.Object) == 0 {
		return Culprit{}, false
	}
	s := look(object, parts, now)
	if worst, found := s.trouble(); found && (worst.culprit.Container != "" || worst.gravity == condemned) {
		return worst.culprit, worst.culprit.Container != ""
	}
	most := int32(-1)
	for i := range s.pods {
		for _, c := range s.pods[i].Status.ContainerStatuses {
			if hasRun(c) && c.RestartCount > most {
				most, guilty, ok = c.RestartCount, culprit(&s.pods[i], c), true
			}
		}
	}
	return guilty, ok
}

func culprit(pod *corev1.Pod, c corev1.ContainerStatus) Culprit {
	return Culprit{Pod: pod.Name, Container: c.Name, Previous: c.State.Running != nil && c.RestartCount > 0}
}

func hasRun(c corev1.ContainerStatus) bool {
	return c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil
}

// containers returns the statuses of a pod's containers, those that start first
// first.
func containers(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}
