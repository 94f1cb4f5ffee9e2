package docker

import (
	"slices"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

const noTest = "NONE"

func writeHealthcheck(c spec.Container, f form) {
	h := c.Healthcheck
	if h == nil {
		return
	}
	f.config.Healthcheck = &container.HealthConfig{
		Test: h.Test, Interval: h.Interval, Timeout: h.Timeout,
		StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries,
	}
}

// readHealthcheck undoes the engine's inheritance, which goes field by field.
func readHealthcheck(f form, c *spec.Container, image *imageFacts) {
	h, base := f.config.Healthcheck, image.healthcheck
	if h == nil {
		return
	}
	if len(h.Test) > 0 && h.Test[0] == noTest {
		if !(len(base.Test) > 0 && base.Test[0] == noTest) {
			c.Healthcheck = &spec.Healthcheck{Test: []string{noTest}}
		}
		return
	}
	out := spec.Healthcheck{
		Interval: unless(h.Interval, base.Interval), Timeout: unless(h.Timeout, base.Timeout),
		StartPeriod:   unless(h.StartPeriod, base.StartPeriod),
		StartInterval: unless(h.StartInterval, base.StartInterval),
		Retries:       unless(h.Retries, base.Retries),
	}
	if !slices.Equal(h.Test, base.Test) {
		out.Test = filled(h.Test)
	}
	if out.Test != nil || out.Interval != 0 || out.Timeout != 0 || out.StartPeriod != 0 || out.StartInterval != 0 || out.Retries != 0 {
		c.Healthcheck = &out
	}
}
