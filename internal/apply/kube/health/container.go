package health

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// inspect says what is the matter with one container; the zero trouble for
// nothing.
func (s *subject) inspect(pod *corev1.Pod, c corev1.ContainerStatus) trouble {
	t := s.state(pod, c)
	if t.gravity == 0 {
		return t
	}
	t.reason = fmt.Sprintf("pod %s: container %s: %s", pod.Name, c.Name, t.reason)
	if hasRun(c) {
		t.culprit = culprit(pod, c)
	}
	return t
}

func (s *subject) state(pod *corev1.Pod, c corev1.ContainerStatus) trouble {
	prepares := prepares(pod, c.Name)
	switch end := c.State.Terminated; {
	case c.State.Waiting != nil:
		return s.waiting(pod, c, *c.State.Waiting)
	case end != nil && end.ExitCode == 0 && (prepares || mayEnd(pod)):
		return trouble{}
	case end != nil:
		return s.crashed(pod, c, end)
	case c.State.Running == nil, c.Ready:
		return trouble{}
	case prepares:
		return again(trouble{gravity: starting, reason: "runs before the others start"}, c)
	case c.Started != nil && !*c.Started:
		return again(trouble{gravity: unready, reason: "runs, but has not passed its startup probe"}, c)
	}
	return again(trouble{gravity: unready, reason: "runs, but is not ready"}, c)
}

// again adds how the run before the present one ended.
func again(t trouble, c corev1.ContainerStatus) trouble {
	if end := c.LastTerminationState.Terminated; end != nil && c.RestartCount > 0 {
		t.reason += fmt.Sprintf(" (restarts: %d, after %s)", c.RestartCount, manner(end))
		t.exit = exitOf(end)
	}
	return t
}

// prepares tells whether a container runs to its end before the others start.
func prepares(pod *corev1.Pod, name string) bool {
	for _, c := range pod.Spec.InitContainers {
		if c.Name == name {
			return c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
		}
	}
	return false
}

// mayEnd tells whether the pod's containers are to end at some time.
func mayEnd(pod *corev1.Pod) bool {
	return pod.Spec.RestartPolicy == corev1.RestartPolicyNever || pod.Spec.RestartPolicy == corev1.RestartPolicyOnFailure
}

// waiting judges by the reason that the kubelet gives for a container that does
// not run.
func (s *subject) waiting(pod *corev1.Pod, c corev1.ContainerStatus, w corev1.ContainerStateWaiting) trouble {
	why := essence(w.Message)
	switch w.Reason {
	case "CrashLoopBackOff":
		return s.crashed(pod, c, c.LastTerminationState.Terminated)
	case "ErrImagePull", "ImageInspectError", "RegistryUnavailable":
		return trouble{gravity: hindered, reason: phrase("image "+c.Image+" cannot be pulled", why)}
	case "ImagePullBackOff":
		lasts := !transient(why) || s.overdue(pod, RegistryGrace)
		return trouble{gravity: lasting(lasts), reason: phrase("image "+c.Image+" cannot be pulled", why)}
	case "InvalidImageName":
		return trouble{gravity: condemned, reason: phrase("image name "+c.Image+" is not valid", why)}
	case "ErrImageNeverPull":
		return trouble{gravity: condemned, reason: "image " + c.Image + " is not on the node, and its imagePullPolicy is Never"}
	case "SignatureValidationFailed":
		return trouble{gravity: condemned, reason: phrase("image "+c.Image+" is not signed as it has to be", why)}
	case "CreateContainerConfigError":
		return trouble{gravity: lasting(s.overdue(pod, ConfigGrace)), reason: phrase("cannot be configured", why)}
	case "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return trouble{gravity: lasting(!transient(why)), reason: phrase("cannot be started", why)}
	case "", "ContainerCreating", "PodInitializing":
		return trouble{gravity: starting, reason: phrase("is being made", why)}
	}
	return trouble{gravity: hindered, reason: phrase(w.Reason, why)}
}

// overdue tells whether a pod has been on its node for longer than grace.
func (s *subject) overdue(pod *corev1.Pod, grace time.Duration) bool {
	return pod.Status.StartTime != nil && s.waits(pod.Status.StartTime.Time, grace)
}

// crashed judges a container that ended, by its last end and by how often it was
// restarted. What it did before the put says nothing of it. The pods of a job are never condemned by it: its own policy is.
func (s *subject) crashed(pod *corev1.Pod, c corev1.ContainerStatus, end *corev1.ContainerStateTerminated) trouble {
	if end == nil {
		return trouble{gravity: hindered, reason: "crashes"}
	}
	t := trouble{gravity: ended, reason: "ended (" + manner(end) + ")", exit: exitOf(end)}
	hopeless := c.State.Waiting != nil && (end.Reason == "OOMKilled" || end.Reason == "StartError" || end.Reason == "ContainerCannotRun")
	switch {
	case s.kind == kindJob:
	case !s.isNews(pod, end):
		t.gravity, t.reason = hindered, "crashed before the change ("+manner(end)+")"
	case c.RestartCount >= CrashRestarts, hopeless:
		t.gravity, t.reason = condemned, "crashes again and again ("+manner(end)+")"
	case c.RestartCount > 0:
		t.gravity, t.reason = hindered, "crashed ("+manner(end)+")"
	}
	return t
}

func lasting(yes bool) gravity {
	if yes {
		return condemned
	}
	return hindered
}

// manner says how a container ended.
func manner(end *corev1.ContainerStateTerminated) string {
	said := fmt.Sprintf("exit %d", end.ExitCode)
	switch end.Reason {
	case "OOMKilled":
		said += ", out of memory"
	case "", "Error", "Completed":
	default:
		said += ", " + end.Reason
	}
	return phrase(said, essence(end.Message))
}

func exitOf(end *corev1.ContainerStateTerminated) *int {
	code := int(end.ExitCode)
	return &code
}

// essence drops from a kubelet's message what only repeats the reason, or the
// layers that it came through.
func essence(message string) string {
	for _, before := range []string{"ErrImagePull: ", " desc = ", "unable to start container process: "} {
		if _, after, found := strings.Cut(message, before); found {
			message = after
		}
	}
	for _, before := range []string{"failed to pull and unpack image ", "failed to resolve reference "} {
		if rest, found := strings.CutPrefix(message, before); found {
			if _, after, found := strings.Cut(rest, `": `); found {
				message = after
			}
		}
	}
	return strings.TrimSuffix(message, ": unknown")
}

// placement drops the part of a scheduler's message that is about preemption.
func placement(message string) string {
	message, _, _ = strings.Cut(message, " no new claims to deallocate")
	message, _, _ = strings.Cut(message, " preemption: ")
	return strings.TrimRight(message, " ,.")
}

// transient tells whether a kubelet's message is of a registry, a network or a
// runtime that did not answer: no fault of the object, and it may pass.
func transient(message string) bool {
	message = strings.ToLower(message)
	for _, sign := range []string{
		"i/o timeout", "timed out", "deadline exceeded", "handshake timeout", "connection refused", "connection reset",
		"no route to host", "network is unreachable", "server misbehaving", "temporary failure", "unexpected eof",
		"too many requests", "toomanyrequests", "500 internal server error", "502 bad gateway", "503 service unavailable",
		"504 gateway", "qps exceeded", "failed to reserve container name",
	} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

// restarts is how often containers of the newest revision's pods were restarted.
func restarts(pods []corev1.Pod) int {
	sum := 0
	for i := range pods {
		for _, c := range containers(&pods[i]) {
			sum += int(c.RestartCount)
		}
	}
	return sum
}

// probed tells whether readiness means more than that the containers run: a probe
// says so, or a time for which they have to have run.
func probed(spec corev1.PodSpec, settle time.Duration) bool {
	if settle > 0 {
		return true
	}
	for _, c := range spec.Containers {
		if c.ReadinessProbe != nil {
			return true
		}
	}
	return len(spec.ReadinessGates) > 0
}
