package docker

import (
	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

func writeLogging(c spec.Container, f form) {
	if c.Logging != nil {
		f.host.LogConfig = container.LogConfig{Type: c.Logging.Driver, Config: c.Logging.Options}
	}
}

func readLogging(f form, c *spec.Container) {
	l := f.host.LogConfig
	if l.Type == "" && len(l.Config) == 0 {
		return
	}
	c.Logging = &spec.Logging{Driver: l.Type, Options: unempty(l.Config)}
}
