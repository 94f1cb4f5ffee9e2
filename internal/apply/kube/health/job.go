package health

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// queueLabel marks a job that a queue suspends until there is room for it.
const queueLabel = "kueue.x-k8s.io/queue-name"

// Ended tells whether an object is a Job that is complete, or has failed.
func Ended(object *unstructured.Unstructured) bool {
	return object != nil && look(object, nil, time.Time{}).ended()
}

func (s *subject) ended() bool {
	return s.kind == kindJob && slices.ContainsFunc(conditions(s.object.Object), func(c condition) bool {
		return c.holds() && slices.Contains([]string{"Complete", "SuccessCriteriaMet", "Failed", "FailureTarget"}, c.kind)
	})
}

// job is the health of a Job: done only when it is complete, failed when its own
// policy says so, or when its pods can never start.
func (s *subject) job(h resource.Health) resource.Health {
	for _, c := range conditions(s.object.Object) {
		switch {
		case !c.holds():
		case c.kind == "Complete", c.kind == "SuccessCriteriaMet":
			done := 0
			h.ExitCode = &done
			return well(h, CheckExit, "")
		case c.kind == "Failed", c.kind == "FailureTarget":
			worst, _ := s.trouble()
			h.ExitCode = worst.exit
			return failed(h, CheckExit, phrase(c.why(), worst.reason))
		}
	}
	if truth(s.object.Object, "spec", "suspend") {
		return s.suspended(h)
	}
	worst, _ := s.trouble()
	h.ExitCode = worst.exit
	if worst.gravity == condemned {
		return failed(h, CheckPods, worst.reason)
	}
	return progressing(h, CheckStatus, s.tally()+tail(worst.reason))
}

func (s *subject) suspended(h resource.Health) resource.Health {
	if queue := s.object.GetLabels()[queueLabel]; queue != "" {
		return progressing(h, CheckStatus, "waits in queue "+queue)
	}
	return well(h, CheckStatus, "is suspended: it runs nothing")
}

func (s *subject) tally() string {
	tree := s.object.Object
	said := fmt.Sprintf("%d active, %d succeeded", number(tree, 0, "status", "active"), number(tree, 0, "status", "succeeded"))
	if n := number(tree, 0, "status", "failed"); n > 0 {
		said += fmt.Sprintf(", %d failed", n)
	}
	return said
}

func tail(reason string) string {
	if reason == "" {
		return ""
	}
	return "; " + reason
}

// pod is the health of a pod that nobody keeps running.
func (s *subject) pod(h resource.Health) resource.Health {
	if len(s.pods) == 0 {
		return progressing(h, CheckStatus, "its status cannot be read")
	}
	pod := &s.pods[0]
	h.Restarts = restarts(s.pods)
	worst, found := s.trouble()
	h.ExitCode = worst.exit
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		return well(h, CheckExit, "")
	case pod.Status.Phase == corev1.PodFailed, worst.gravity == condemned:
		return failed(h, CheckPods, worst.reason)
	case found, !ready(pod):
		return progressing(h, CheckPods, worst.reason)
	case !probed(pod.Spec, 0):
		return well(h, apply.CheckRunning, "")
	}
	return well(h, CheckPods, "")
}
