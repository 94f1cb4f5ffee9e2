package docker

import (
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

const (
	// loopAfter is how many restarts make a crash loop.
	loopAfter = 3
	// longestReason is what is kept of a probe's output, in bytes.
	longestReason = 300
)

const (
	checkHealth   = "healthcheck"
	checkExit     = "exit"
	checkRestarts = "restarts"
	checkState    = "state"
)

// health is a verdict from one inspect. A job (once) is well when it exited 0.
func health(in container.InspectResponse, once bool) resource.Health {
	s := in.State
	h := resource.Health{Restarts: in.RestartCount, Started: started(s), Check: checkState}
	switch {
	case s.Paused:
		return failed(h, checkState, "paused")
	case s.Dead, s.Status == container.StateRemoving:
		return failed(h, checkState, "being removed")
	case s.Restarting:
		return loop(h, s)
	case s.Running:
		return runningHealth(h, in, once)
	case s.Status == container.StateCreated:
		return notStarted(h, s)
	default:
		return exited(h, s, once)
	}
}

// started tells whether it runs or has run: the engine's zero time is year 1.
func started(s *container.State) bool {
	return s.Running || s.StartedAt != "" && !strings.HasPrefix(s.StartedAt, "0001-")
}

func failed(h resource.Health, check, reason string) resource.Health {
	h.State, h.Check, h.Reason = resource.Failed, check, reason
	return h
}

func notStarted(h resource.Health, s *container.State) resource.Health {
	if s.Error != "" {
		h.ExitCode = &s.ExitCode
		return failed(h, checkExit, "did not start: "+resource.Harmless(s.Error, longestReason))
	}
	h.State, h.Reason = resource.Progressing, "not started yet"
	return h
}

func loop(h resource.Health, s *container.State) resource.Health {
	h.ExitCode, h.Check = &s.ExitCode, checkRestarts
	if h.Restarts >= loopAfter {
		return failed(h, checkRestarts, "restarts again and again ("+exitReason(s)+")")
	}
	h.State, h.Reason = resource.Progressing, "restarting ("+exitReason(s)+")"
	return h
}

func exitReason(s *container.State) string {
	reason := fmt.Sprintf("exit %d", s.ExitCode)
	if s.OOMKilled {
		reason += ", out of memory"
	}
	if s.Error != "" {
		reason += ": " + resource.Harmless(s.Error, longestReason)
	}
	return reason
}

func exited(h resource.Health, s *container.State, once bool) resource.Health {
	h.ExitCode = &s.ExitCode
	if once && s.ExitCode == 0 && s.Error == "" {
		h.State, h.Check = resource.Well, checkExit
		return h
	}
	return failed(h, checkExit, "exited ("+exitReason(s)+")")
}

func runningHealth(h resource.Health, in container.InspectResponse, once bool) resource.Health {
	s := in.State
	switch {
	case once:
		h.State, h.Reason = resource.Progressing, "running"
		return h
	case s.Health == nil || s.Health.Status == container.NoHealthcheck || s.Health.Status == "":
		h.State, h.Check = resource.Well, apply.CheckRunning
		return h
	}
	return probed(h, s.Health)
}

func probed(h resource.Health, probe *container.Health) resource.Health {
	h.Check = checkHealth
	if n := len(probe.Log); n > 0 && probe.Log[n-1] != nil {
		h.ExitCode = &probe.Log[n-1].ExitCode
		h.Reason = lastProbe(probe.Log[n-1])
	}
	switch {
	case probe.Status == container.Healthy:
		h.State, h.Reason = resource.Well, ""
	case probe.Status == container.Unhealthy && probe.FailingStreak > 0: // after a pause it says so without a failed probe
		h.State, h.Reason = resource.Failed, fmt.Sprintf("unhealthy after %d probes: %s", probe.FailingStreak, h.Reason)
	default:
		h.State = resource.Progressing
		if h.Reason == "" {
			h.Reason = "waiting for the first probe"
		}
	}
	return h
}

func lastProbe(r *container.HealthcheckResult) string {
	text := resource.Harmless(r.Output, longestReason)
	if text == "" {
		return fmt.Sprintf("exit %d", r.ExitCode)
	}
	return fmt.Sprintf("exit %d: %s", r.ExitCode, text)
}
