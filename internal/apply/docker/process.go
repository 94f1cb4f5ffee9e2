package docker

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

const defaultStopSeconds = 10

func writeProcess(c spec.Container, f form) {
	cfg := f.config
	cfg.Entrypoint, cfg.Cmd = c.Entrypoint, c.Command
	for _, key := range slices.Sorted(maps.Keys(c.Environment)) {
		cfg.Env = append(cfg.Env, key+"="+c.Environment[key])
	}
	cfg.WorkingDir, cfg.User = c.WorkingDir, c.User
	cfg.Hostname, cfg.Domainname = c.Hostname, c.DomainName
	cfg.Tty, cfg.OpenStdin = c.TTY, c.StdinOpen
	cfg.Labels = maps.Clone(c.Labels)
	cfg.StopSignal = c.StopSignal
	if c.StopGrace != nil {
		seconds := int((*c.StopGrace + time.Second - 1) / time.Second)
		cfg.StopTimeout = &seconds
	}
	f.host.GroupAdd = c.GroupAdd
	f.host.Init, f.host.Runtime = c.Init, c.Runtime
	f.host.Annotations = c.Annotations
	f.host.RestartPolicy = container.RestartPolicy{
		Name: container.RestartPolicyMode(c.Restart.Name), MaximumRetryCount: c.Restart.MaxRetries,
	}
}

func readProcess(f form, c *spec.Container, image *imageFacts) {
	cfg := f.config
	readCommand(f, c, image)
	c.Environment = without(environment(cfg.Env), image.env)
	c.WorkingDir = unless(clean(cfg.WorkingDir), clean(image.workingDir))
	c.User = unless(cfg.User, image.user)
	c.Hostname, c.DomainName = cfg.Hostname, cfg.Domainname
	c.TTY, c.StdinOpen = cfg.Tty, cfg.OpenStdin
	c.Labels = without(ownLabels(cfg.Labels), image.labels)
	if cfg.StopSignal != "" {
		c.StopSignal = unless(signal(cfg.StopSignal), signal(image.stopSignal))
	}
	if cfg.StopTimeout != nil && *cfg.StopTimeout != defaultStopSeconds {
		grace := time.Duration(*cfg.StopTimeout) * time.Second
		c.StopGrace = &grace
	}
	c.GroupAdd = sorted(f.host.GroupAdd)
	c.Init, c.Runtime = f.host.Init, f.host.Runtime
	c.Annotations = unempty(f.host.Annotations)
	c.Restart = readRestart(f.host.RestartPolicy)
}

// readCommand follows the engine's own merge: an entrypoint given by the user
// hides the image's command, and an empty command counts only beside one.
func readCommand(f form, c *spec.Container, image *imageFacts) {
	entrypoint, command := []string(f.config.Entrypoint), []string(f.config.Cmd)
	if len(entrypoint) == 1 && entrypoint[0] == "" {
		entrypoint = []string{}
	}
	if entrypoint == nil {
		entrypoint = image.entrypoint
		if len(command) == 0 {
			command = image.command
		}
	}
	if len(entrypoint) == 0 && len(command) == 0 {
		command = image.command
	}
	c.Entrypoint, c.Command = unlessList(entrypoint, image.entrypoint), unlessList(command, image.command)
}

func readRestart(p container.RestartPolicy) spec.RestartPolicy {
	if p.Name == "" {
		p.Name = container.RestartPolicyDisabled
	}
	return spec.RestartPolicy{Name: string(p.Name), MaxRetries: p.MaximumRetryCount}
}

// environment reads K=V lines; a bare K (which unsets) is left out.
func environment(lines []string) map[string]string {
	env := make(map[string]string, len(lines))
	for _, line := range lines {
		if key, value, ok := strings.Cut(line, "="); ok {
			env[key] = value
		}
	}
	return env
}

func clean(dir string) string {
	if dir == "" {
		return ""
	}
	return path.Clean(dir)
}

// signal returns the canonical name of a stop signal; SIGTERM is the engine's
// default and told as such.
func signal(name string) string {
	upper := strings.ToUpper(name)
	switch upper {
	case "":
		return "SIGTERM"
	case "1", "2", "3", "9", "10", "12", "15", "28":
		return map[string]string{"1": "SIGHUP", "2": "SIGINT", "3": "SIGQUIT", "9": "SIGKILL",
			"10": "SIGUSR1", "12": "SIGUSR2", "15": "SIGTERM", "28": "SIGWINCH"}[upper]
	}
	if upper[0] >= '0' && upper[0] <= '9' {
		return upper
	}
	return "SIG" + strings.TrimPrefix(upper, "SIG")
}
