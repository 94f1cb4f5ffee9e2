package health

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Culprit is the container whose output says most about a verdict.
type Culprit struct {
	Pod, Container string
	// Previous is true where the run before the present one is meant.
	Previous bool
}

// Blame returns the container to read the last lines of: that of the pod that
// Of's reason names. ok is false where no container of the newest revision has
// run, such as for an image that cannot be pulled. Arguments as for Of.
func Blame(object *unstructured.Unstructured, parts []unstructured.Unstructured, now time.Time) (culprit Culprit, ok bool) {
	if object == nil || len(object.Object) == 0 {
		return Culprit{}, false
	}
	worst, found := look(object, parts, now).trouble()
	return worst.culprit, found && worst.culprit.Container != ""
}
