package compose

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// refusal is a field that cannot be honoured, and what to do instead.
type refusal struct {
	field string
	said  bool
	hint  string
}

// unsupported rejects the fields of a service that one Linux engine, or syncd,
// cannot honour. docs/compose.md lists them all.
func (a *app) unsupported(s types.ServiceConfig) error {
	for _, r := range slices.Concat(windows(s), elsewhere(s)) {
		if r.said {
			return a.reject(s.Name, r.field, r.hint, "not supported")
		}
	}
	if s.Build != nil && s.Image == "" {
		return a.reject(s.Name, "build", "say `image:`; build and push it in CI, or build it on the host under that name", "there is no image, and syncd builds none")
	}
	for _, h := range append(append([]types.ServiceHook{}, s.PostStart...), s.PreStop...) {
		if len(h.Command) == 0 {
			return a.reject(s.Name, "post_start, pre_stop", "", "a hook has no command")
		}
	}
	return nil
}

// windows are fields that mean something on Windows hosts only.
func windows(s types.ServiceConfig) []refusal {
	return []refusal{
		{"cpu_count", s.CPUCount != 0, "cpus limits cores on Linux"},
		{"cpu_percent", s.CPUPercent != 0, "cpus limits cores on Linux"},
		{"credential_spec", s.CredentialSpec != nil, ""},
		{"isolation", s.Isolation != "", ""},
	}
}

// elsewhere are fields that another tool than the engine would have to honour.
func elsewhere(s types.ServiceConfig) []refusal {
	return []refusal{
		{"external_links", len(s.ExternalLinks) > 0, "put both containers on one external network"},
		{"pre_start", len(s.PreStart) > 0, "write it as a service that this one needs with `condition: service_completed_successfully`"},
		{"provider", s.Provider != nil, ""},
		{"pull_refresh_after", s.PullRefreshAfter != "", "a tag is resolved once per revision"},
		{"umask", s.Umask != nil, "set it in the image's entrypoint"},
		{"use_api_socket", s.UseAPISocket, "mount the socket, and the credentials that the service needs"},
		{"uts", strings.HasPrefix(s.Uts, types.ServicePrefix), "the engine knows `host` only"},
		{"cgroup", strings.HasPrefix(s.Cgroup, types.ServicePrefix), "the engine knows `host` and `private` only"},
		{"net", s.Net != "", "network_mode"},
		{"dockerfile", s.Dockerfile != "", "image"},
		{"log_driver", s.LogDriver != "", "logging.driver"},
		{"log_opt", len(s.LogOpt) > 0, "logging.options"},
		{"volume_driver", s.VolumeDriver != "", "the driver of a top-level volume"},
	}
}

// ignored notes the fields that were understood and mean nothing here.
func (a *app) ignored(s types.ServiceConfig) {
	if s.Build != nil {
		a.noteField(s.Name, "build", "ignored: the image comes from a registry or from the engine")
	}
	if s.Develop != nil {
		a.noteField(s.Name, "develop", "ignored: it is for `docker compose watch`")
	}
	if s.Attach != nil {
		a.noteField(s.Name, "attach", "ignored: it is for `docker compose up` in a terminal")
	}
}
