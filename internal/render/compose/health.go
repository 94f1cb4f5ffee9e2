package compose

import (
	"math"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// The engine's defaults of a healthcheck.
const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 30 * time.Second
	defaultRetries  = 3
)

// healthcheck maps the service's healthcheck; nil keeps the image's.
func (a *app) healthcheck(s types.ServiceConfig) (*spec.Healthcheck, error) {
	h := s.HealthCheck
	if h == nil {
		return nil, nil
	}
	if h.Disable || (len(h.Test) > 0 && h.Test[0] == "NONE") {
		return &spec.Healthcheck{Test: []string{"NONE"}}, nil
	}
	out := &spec.Healthcheck{
		Test: []string(h.Test), Interval: span(h.Interval), Timeout: span(h.Timeout),
		StartPeriod: span(h.StartPeriod), StartInterval: span(h.StartInterval),
	}
	if len(out.Test) == 0 {
		out.Test = nil
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"interval", out.Interval}, {"timeout", out.Timeout}, {"start_period", out.StartPeriod}, {"start_interval", out.StartInterval},
	} {
		if d.value != 0 && d.value < time.Millisecond {
			return nil, a.reject(s.Name, "healthcheck."+d.field, "", "%s: the engine takes 1ms and more", d.value)
		}
	}
	if h.Retries != nil {
		if *h.Retries > math.MaxInt16 {
			return nil, a.reject(s.Name, "healthcheck.retries", "", "%d is more than %d", *h.Retries, math.MaxInt16)
		}
		out.Retries = int(*h.Retries)
	}
	return out, nil
}

func span(d *types.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

// checked tells whether the Compose file declares a healthcheck.
func checked(h *types.HealthCheckConfig) bool {
	return h != nil && !h.Disable && (len(h.Test) == 0 || h.Test[0] != "NONE")
}

// probing is how long the engine may take to call an instance unhealthy:
// start_period and one interval and timeout for each try and one more.
func probing(h *types.HealthCheckConfig) time.Duration {
	interval, timeout, retries := span(h.Interval), span(h.Timeout), uint64(defaultRetries)
	if interval == 0 {
		interval = defaultInterval
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if h.Retries != nil && *h.Retries > 0 {
		retries = min(*h.Retries, math.MaxInt16)
	}
	most := float64(span(h.StartPeriod)) + float64(retries+1)*(float64(interval)+float64(timeout))
	return time.Duration(min(most, float64(24*time.Hour)))
}
