package health

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"syncd.io/syncd/internal/resource"
)

// subject is the object whose health is asked for, with what belongs to it.
type subject struct {
	object *unstructured.Unstructured
	kind   string // empty where it is not a built-in one
	// newest is a Deployment's ReplicaSet of its present template.
	newest *unstructured.Unstructured
	pods   []corev1.Pod // of the newest revision
	old    []corev1.Pod
	now    time.Time
	put    time.Time // when the object was last put
}

func look(object *unstructured.Unstructured, parts []unstructured.Unstructured, now time.Time) *subject {
	s := &subject{object: object, now: now, put: putAt(object)}
	if resource.BuiltIn(object.GroupVersionKind().Group) {
		s.kind = object.GetKind()
	}
	switch {
	case s.kind == kindPod:
		var pod corev1.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod); err == nil {
			s.pods = []corev1.Pod{pod}
		}
	case NeedsPods(object):
		s.sort(parts)
	}
	return s
}

func (s *subject) health() resource.Health {
	h := resource.Health{Started: true}
	switch {
	case text(s.object.Object, "metadata", "deletionTimestamp") != "":
		return s.leaving()
	case s.kind != "" && Settled(s.object, nil):
		return s.settled(h)
	case !s.observed():
		return s.unseen()
	case scales(s.kind):
		return s.workload(h)
	}
	switch s.kind {
	case kindPod:
		return s.pod(h)
	case kindJob:
		return s.job(h)
	case kindClaim:
		return s.claim(h)
	case kindService:
		return s.balanced(h)
	case kindDefinition:
		return s.basis(h)
	}
	return s.custom(h)
}

// observed tells whether what the status says is about the present generation.
// Where a built-in workload's says nothing, its controller has not come to it yet.
func (s *subject) observed() bool {
	want := number(s.object.Object, 0, "metadata", "generation")
	seen, says := field(s.object.Object, "status", "observedGeneration").(int64)
	switch {
	case says:
		return seen >= want
	default:
		return !scales(s.kind)
	}
}

// unseen is the health of an object whose controller has not come to its present
// generation. One of the cluster's own says so before it looks at anything else, so
// that its silence says nothing of the object; what others' say last may be just that
// they could not do as they were asked.
func (s *subject) unseen() resource.Health {
	h := resource.Health{Unseen: scales(s.kind)}
	if h.Unseen {
		return progressing(h, CheckStatus, "the "+s.kind+" controller has not looked at it yet")
	}
	return progressing(h, CheckStatus, "its controller has not seen this change yet")
}

// leaving is the health of an object that was deleted and is still there.
func (s *subject) leaving() resource.Health {
	reason := "is being deleted"
	if names := s.object.GetFinalizers(); len(names) > 0 {
		reason += " (finalizers: " + strings.Join(names, ", ") + ")"
	}
	if s.kind == kindNamespace {
		return failed(resource.Health{}, CheckStatus, "is terminating: nothing can be made in it"+s.remains())
	}
	return progressing(resource.Health{}, CheckStatus, reason)
}

// remains says what keeps a namespace from its end.
func (s *subject) remains() string {
	var said []string
	for _, c := range conditions(s.object.Object) {
		if c.holds() {
			said = append(said, c.message)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}

func (s *subject) settled(h resource.Health) resource.Health {
	reason := ""
	if s.kind == kindCronJob && truth(s.object.Object, "spec", "suspend") {
		reason = "is suspended: it starts no jobs"
	}
	return well(h, CheckStatus, reason)
}

// claim is the health of a PersistentVolumeClaim. One that waits for its first
// consumer has no provisioner yet: it is as it should be, and if its consumer
// comes and it is not bound, that consumer's pods say so.
func (s *subject) claim(h resource.Health) resource.Health {
	marks := s.object.GetAnnotations()
	switch phase := text(s.object.Object, "status", "phase"); {
	case phase == string(corev1.ClaimBound):
		return well(h, CheckStatus, "")
	case phase == string(corev1.ClaimLost):
		return failed(h, CheckStatus, fmt.Sprintf("its volume %s is lost", text(s.object.Object, "spec", "volumeName")))
	case marks["volume.kubernetes.io/storage-provisioner"] == "" && marks["volume.beta.kubernetes.io/storage-provisioner"] == "":
		return well(h, CheckStatus, "waits for its first consumer")
	}
	return progressing(h, CheckStatus, "waits for its volume to be made")
}

// balanced is the health of a Service of type LoadBalancer.
func (s *subject) balanced(h resource.Health) resource.Health {
	if len(items(s.object.Object, "status", "loadBalancer", "ingress")) == 0 {
		return progressing(h, CheckStatus, "waits for the address of its load balancer")
	}
	return well(h, CheckStatus, "")
}
