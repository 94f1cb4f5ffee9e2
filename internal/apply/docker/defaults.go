package docker

import (
	"maps"
	"slices"
	"strings"

	"syncd.io/syncd/internal/spec"
)

// Some settings are filled in by the engine from its own configuration, which no
// API tells: log options, shm size, ulimits, IPC and cgroup namespaces, MAC
// addresses. In what runs, they cannot be told from settings of the user. So
// the names of those that the user did set are written beside the container
// (labelDeclared), and live forgets all others.

// declared returns the names of those settings that c sets.
func declared(c spec.Container) []string {
	var names []string
	add := func(name string, set bool) {
		if set {
			names = append(names, name)
		}
	}
	add("shm_size", c.Resources.ShmSize != 0)
	add("ipc", c.Security.IPC != "")
	add("cgroup", c.Security.Cgroup != "")
	add("runtime", c.Runtime != "")
	add("mac", c.MacAddress != "")
	for _, e := range c.Networks {
		add("mac."+e.Name, e.MacAddress != "")
	}
	for _, u := range c.Resources.Ulimits {
		add("ulimit."+u.Name, true)
	}
	if l := c.Logging; l != nil {
		add("log", l.Driver != "")
		for _, key := range slices.Sorted(maps.Keys(l.Options)) {
			add("log."+key, true)
		}
	}
	return names
}

// forget drops those settings from c that are not among names.
func forget(c *spec.Container, names []string) {
	keep := func(name string) bool { return slices.Contains(names, name) }
	if !keep("shm_size") {
		c.Resources.ShmSize = 0
	}
	if !keep("ipc") && !shared(c.Security.IPC) {
		c.Security.IPC = ""
	}
	if !keep("cgroup") {
		c.Security.Cgroup = ""
	}
	if !keep("runtime") {
		c.Runtime = ""
	}
	forgetMACs(c, keep)
	c.Resources.Ulimits = filled(slices.DeleteFunc(c.Resources.Ulimits, func(u spec.Ulimit) bool { return !keep("ulimit." + u.Name) }))
	forgetLogging(c, keep)
}

func forgetMACs(c *spec.Container, keep func(string) bool) {
	if !keep("mac") {
		c.MacAddress = ""
	}
	for i, e := range c.Networks {
		if !keep("mac." + e.Name) {
			c.Networks[i].MacAddress = ""
		}
	}
}

func forgetLogging(c *spec.Container, keep func(string) bool) {
	if c.Logging == nil {
		return
	}
	if !keep("log") {
		c.Logging.Driver = ""
	}
	maps.DeleteFunc(c.Logging.Options, func(key, _ string) bool { return !keep("log." + key) })
	c.Logging.Options = unempty(c.Logging.Options)
	if c.Logging.Driver == "" && c.Logging.Options == nil {
		c.Logging = nil
	}
}

func joinNames(names []string) string { return strings.Join(names, ",") }

func splitNames(label string) []string {
	return strings.FieldsFunc(label, func(r rune) bool { return r == ',' })
}
