package health

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// gravity orders what may be the matter with a pod.
type gravity int

const (
	starting  gravity = iota + 1 // its containers are being made
	unready                      // they run, and are not ready
	ended                        // one ended, or the whole pod
	unplaced                     // no node takes it
	hindered                     // it has a named reason that may pass
	condemned                    // it has a named reason that lasts
)

// trouble is what keeps a pod from being ready.
type trouble struct {
	gravity gravity
	reason  string // with the names of pod and container
	culprit Culprit
	exit    *int // of the container's last run
}

// trouble returns the worst among the newest revision's pods, of two equals that
// of the first by name; false where all are ready. Pods that found no node
// condemn the revision only if none has found one, for a while.
func (s *subject) trouble() (trouble, bool) {
	var worst trouble
	homeless := 0
	for i := range s.pods {
		t := s.examine(&s.pods[i])
		if t.gravity > worst.gravity {
			worst = t
		}
		if c, is := unschedulable(&s.pods[i]); is && s.waits(c.LastTransitionTime.Time, SchedulingGrace) {
			homeless++
		}
	}
	if worst.gravity == unplaced && homeless == len(s.pods) {
		worst.gravity = condemned
	}
	return worst, worst.gravity > 0
}

// examine says what is the matter with one pod; the zero trouble for nothing. A
// pod that is leaving, or that its controller replaces, is no more than slow.
func (s *subject) examine(pod *corev1.Pod) trouble {
	switch {
	case pod.DeletionTimestamp != nil:
		return trouble{gravity: starting, reason: "pod " + pod.Name + " is leaving"}
	case pod.Status.Phase == corev1.PodSucceeded:
		return trouble{}
	case pod.Status.Phase == corev1.PodFailed:
		return s.lost(pod)
	}
	if c, is := unschedulable(pod); is {
		return trouble{gravity: unplaced, reason: fmt.Sprintf("pod %s: no node takes it: %s", pod.Name, placement(c.Message))}
	}
	var worst trouble
	for _, c := range containers(pod) {
		if t := s.inspect(pod, c); t.gravity > worst.gravity {
			worst = t
		}
	}
	if worst.gravity == 0 && !ready(pod) {
		return trouble{gravity: starting, reason: "pod " + pod.Name + " is not ready" + gates(pod)}
	}
	return worst
}

// lost is the trouble of a pod that ended without success: evicted, or out of
// attempts.
func (s *subject) lost(pod *corev1.Pod) trouble {
	t := trouble{gravity: ended, reason: fmt.Sprintf("pod %s failed", pod.Name)}
	for _, c := range containers(pod) {
		if end := c.State.Terminated; end != nil && end.ExitCode != 0 {
			t.exit, t.culprit = exitOf(end), culprit(pod, c)
			t.reason = fmt.Sprintf("pod %s: container %s: failed (%s)", pod.Name, c.Name, manner(end))
			return t
		}
	}
	if why := phrase(pod.Status.Reason, pod.Status.Message); why != "" {
		t.reason += ": " + why
	}
	return t
}

func unschedulable(pod *corev1.Pod) (corev1.PodCondition, bool) {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c, true
		}
	}
	return corev1.PodCondition{}, false
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// gates says what a pod waits for that is not its containers' business: a
// scheduling gate or a readiness gate.
func gates(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		named := c.Type == corev1.PodScheduled || c.Type == corev1.PodReady
		if named && c.Status != corev1.ConditionTrue && c.Message != "" {
			return ": " + c.Message
		}
	}
	return ""
}
