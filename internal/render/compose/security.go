package compose

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// security maps what a container may do on its host. Whether it may is for the
// host's policy to say.
func security(s types.ServiceConfig) spec.Security {
	return spec.Security{
		Privileged: s.Privileged, ReadOnly: s.ReadOnly,
		CapAdd: capabilities(s.CapAdd), CapDrop: capabilities(s.CapDrop),
		SecurityOpt: securityOptions(s.SecurityOpt), Sysctls: filled(s.Sysctls),
		IPC: s.Ipc, PID: s.Pid, UTS: s.Uts, UserNS: s.UserNSMode, Cgroup: s.Cgroup,
		StorageOpt: filled(s.StorageOpt),
	}
}

// capabilities brings cap_net_admin and NET_ADMIN into one form.
func capabilities(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, strings.TrimPrefix(strings.ToUpper(n), "CAP_"))
	}
	return set(out)
}

// securityOptions brings key:value and key=value into one form.
func securityOptions(options []string) []string {
	out := make([]string, 0, len(options))
	for _, o := range options {
		if i := strings.IndexAny(o, ":="); i > 0 && o[i] == ':' {
			o = o[:i] + "=" + o[i+1:]
		}
		if o == "no-new-privileges=true" {
			o = "no-new-privileges"
		}
		out = append(out, o)
	}
	return set(out)
}
