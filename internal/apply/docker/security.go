package docker

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

// openPaths is Compose's word for a container without masked and read-only
// system paths; the engine keeps it as two empty lists.
const openPaths = "systempaths=unconfined"

func writeSecurity(s spec.Security, f form) {
	h := f.host
	h.Privileged, h.ReadonlyRootfs = s.Privileged, s.ReadOnly
	h.CapAdd, h.CapDrop = s.CapAdd, s.CapDrop
	for _, option := range s.SecurityOpt {
		if securityOption(option) == openPaths {
			h.MaskedPaths, h.ReadonlyPaths = []string{}, []string{}
			continue
		}
		h.SecurityOpt = append(h.SecurityOpt, option)
	}
	h.Sysctls, h.StorageOpt = s.Sysctls, s.StorageOpt
	h.IpcMode, h.PidMode = container.IpcMode(s.IPC), container.PidMode(s.PID)
	h.UTSMode, h.UsernsMode = container.UTSMode(s.UTS), container.UsernsMode(s.UserNS)
	h.CgroupnsMode = container.CgroupnsMode(s.Cgroup)
}

func readSecurity(f form, s *spec.Security) {
	h := f.host
	*s = spec.Security{
		Privileged: h.Privileged, ReadOnly: h.ReadonlyRootfs,
		CapAdd: capabilities(h.CapAdd), CapDrop: capabilities(h.CapDrop),
		Sysctls: unempty(h.Sysctls), StorageOpt: unempty(h.StorageOpt),
		IPC: string(h.IpcMode), PID: string(h.PidMode), UTS: string(h.UTSMode),
		UserNS: string(h.UsernsMode), Cgroup: string(h.CgroupnsMode),
	}
	s.SecurityOpt = securityOptions(h)
}

func securityOptions(h *container.HostConfig) []string {
	// the engine adds label=disable by itself where labels would have no meaning
	unlabelled := h.Privileged || h.PidMode.IsHost() || h.IpcMode.IsHost() || h.PidMode.IsContainer() || h.IpcMode.IsContainer()
	var out []string
	for _, option := range h.SecurityOpt {
		option = securityOption(option)
		if !(unlabelled && option == "label=disable") {
			out = append(out, option)
		}
	}
	if h.MaskedPaths != nil && len(h.MaskedPaths) == 0 && h.ReadonlyPaths != nil && len(h.ReadonlyPaths) == 0 && !h.Privileged {
		out = append(out, openPaths)
	}
	return sorted(out)
}

// securityOption brings key:value, key=value and no-new-privileges into one form.
func securityOption(option string) string {
	if i := strings.IndexAny(option, ":="); i > 0 && option[i] == ':' {
		option = option[:i] + "=" + option[i+1:]
	}
	if option == "no-new-privileges=true" {
		return "no-new-privileges"
	}
	return option
}

func capabilities(list []string) []string {
	out := slices.Clone(list)
	for i, name := range out {
		out[i] = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	}
	return sorted(out)
}
