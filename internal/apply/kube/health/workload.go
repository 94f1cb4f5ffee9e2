package health

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// workload is the health of what keeps a number of pods running: first by its new
// pods' own reasons, then by what its controller counts.
func (s *subject) workload(h resource.Health) resource.Health {
	h.Restarts = restarts(s.pods)
	if s.kind == kindDeployment && truth(s.object.Object, "spec", "paused") {
		return well(h, CheckStatus, "is paused: its pods are left as they are")
	}
	worst, found := s.trouble()
	h.ExitCode = worst.exit
	if worst.gravity == condemned {
		return failed(h, CheckPods, worst.reason)
	}
	refusal, lasts := s.refused()
	switch {
	case lasts:
		return failed(h, CheckStatus, refusal)
	case s.timedOut():
		return failed(h, CheckStatus, phrase(fmt.Sprintf("no progress within progressDeadlineSeconds (%d)", s.deadline()), worst.reason))
	}
	missing := s.missing()
	if missing == "" {
		return s.complete(h)
	}
	for _, more := range []string{refusal, worst.reason, s.held()} {
		if more != "" && (found || more != worst.reason) {
			missing += "; " + more
		}
	}
	return progressing(h, CheckStatus, missing)
}

// complete is the health of a workload all of whose pods are as they should be.
func (s *subject) complete(h resource.Health) resource.Health {
	h.ExitCode = nil
	tree, _ := field(s.object.Object, "spec", "template", "spec").(map[string]any)
	var spec corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(tree, &spec); err != nil {
		spec = corev1.PodSpec{}
	}
	settle := time.Duration(number(s.object.Object, 0, "spec", "minReadySeconds")) * time.Second
	check := CheckStatus
	if !probed(spec, settle) && s.size() > 0 {
		check = apply.CheckRunning
	}
	return well(h, check, s.remark())
}

// size is how many pods a workload is to have.
func (s *subject) size() int64 {
	if s.kind == kindDaemonSet {
		return number(s.object.Object, 0, "status", "desiredNumberScheduled")
	}
	return number(s.object.Object, 1, "spec", "replicas")
}

// remark says what a user may not expect of a workload that is well.
func (s *subject) remark() string {
	switch left := s.outdated(); {
	case left > 0 && s.onDelete():
		return fmt.Sprintf("pods of an older revision stay until they are deleted (OnDelete): %d", left)
	case left > 0:
		return fmt.Sprintf("pods of an older revision stay (partition): %d", left)
	case s.kind == kindDaemonSet && number(s.object.Object, 0, "status", "desiredNumberScheduled") == 0:
		return "no node takes its pods"
	}
	return ""
}

func (s *subject) onDelete() bool {
	return text(s.object.Object, "spec", "updateStrategy", "type") == "OnDelete"
}

// outdated is how many pods a StatefulSet or DaemonSet runs of older revisions.
func (s *subject) outdated() int64 {
	tree := s.object.Object
	switch s.kind {
	case kindStatefulSet:
		return number(tree, 0, "status", "replicas") - number(tree, 0, "status", "updatedReplicas")
	case kindDaemonSet:
		return number(tree, 0, "status", "currentNumberScheduled") - number(tree, 0, "status", "updatedNumberScheduled")
	}
	return 0
}

// missing says what the workload still lacks by its controller's counts; empty for
// nothing.
func (s *subject) missing() string {
	tree := s.object.Object
	switch {
	case s.kind == kindDaemonSet && s.onDelete():
		return lacks(number(tree, 0, "status", "numberAvailable"), number(tree, 0, "status", "desiredNumberScheduled"))
	case s.kind == kindStatefulSet && s.onDelete():
		return lacks(number(tree, 0, "status", "availableReplicas"), number(tree, 1, "spec", "replicas"))
	}
	result, err := status.Compute(s.counted())
	switch {
	case err != nil:
		return "its status cannot be read: " + err.Error()
	case result.Status != status.CurrentStatus:
		return strings.ToLower(result.Message)
	case s.kind == kindStatefulSet: // kstatus looks at those that are ready only
		return lacks(number(tree, 0, "status", "availableReplicas"), number(tree, 1, "spec", "replicas"))
	}
	return ""
}

func lacks(have, want int64) string {
	if have >= want {
		return ""
	}
	return fmt.Sprintf("available: %d/%d", have, want)
}

// counted is the object in a form of which kstatus looks at the counts: without
// a deadline that was missed, which is judged before, and a
// ReplicationController as the ReplicaSet that it is.
func (s *subject) counted() *unstructured.Unstructured {
	overdue := conditionOf(s.object.Object, "Progressing").reason == deadlineMissed
	if !overdue && s.kind != kindController {
		return s.object
	}
	out := s.object.DeepCopy()
	if s.kind == kindController {
		out.SetAPIVersion("apps/v1")
		out.SetKind(kindReplicaSet)
	}
	for _, c := range items(out.Object, "status", "conditions") {
		if text(c, "reason") == deadlineMissed {
			c["reason"] = ""
		}
	}
	return out
}

// deadlineMissed is the reason of a Deployment's condition Progressing.
const deadlineMissed = "ProgressDeadlineExceeded"

// timedOut tells whether the newest revision missed the Deployment's own
// deadline. The condition stays from one revision to the next; but its message
// names the ReplicaSet that it is about, and it is about an older one until the
// new one has made progress. Nor does it go where a change keeps the template: then
// only one of since that change counts.
func (s *subject) timedOut() bool {
	c := conditionOf(s.object.Object, "Progressing")
	return c.reason == deadlineMissed && s.newest != nil && (s.put.IsZero() || c.since.After(s.put)) &&
		strings.Contains(c.message, fmt.Sprintf("%q", s.newest.GetName()))
}

func (s *subject) deadline() int64 {
	return number(s.object.Object, math.MaxInt32, "spec", "progressDeadlineSeconds")
}

// refused says why the controller may not make pods, such as a quota, and whether
// that lasts. A Deployment's own condition may be about an older revision, unless it
// names a pod of the newest; its newest ReplicaSet's is not.
func (s *subject) refused() (reason string, lasts bool) {
	c := conditionOf(s.object.Object, "ReplicaFailure")
	if s.kind == kindDeployment {
		if s.newest == nil {
			return "", false
		}
		about := strings.Contains(c.message, `"`+s.newest.GetName()+"-") // its pods are called so
		if own := conditionOf(s.newest.Object, "ReplicaFailure"); own.holds() || !about {
			c = own
		}
	}
	if !c.holds() {
		return "", false
	}
	return phrase("its pods are refused", c.message), s.waits(c.since, ConfigGrace)
}
