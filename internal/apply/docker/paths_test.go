package docker

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/fault"
)

func TestTranslateFollowsTheDeepestMount(t *testing.T) {
	mounts := []container.MountPoint{
		{Type: mount.TypeBind, Source: "/srv/syncd", Destination: "/var/lib/syncd"},
		{Type: mount.TypeVolume, Source: "/var/lib/docker/volumes/m/_data", Destination: "/var/lib/syncd/mounts"},
		{Type: mount.TypeTmpfs, Destination: "/var/lib/syncd/tmp"},
	}
	for path, want := range map[string]string{
		"/var/lib/syncd":          "/srv/syncd",
		"/var/lib/syncd/state.db": "/srv/syncd/state.db",
		"/var/lib/syncd/mounts/a": "/var/lib/docker/volumes/m/_data/a",
		"/var/lib/syncdx":         "",
		"/etc":                    "",
	} {
		if got, ok := Translate(mounts, path); got != want || ok != (want != "") {
			t.Errorf("%s: %s, %t, want %q", path, got, ok, want)
		}
	}
	if got, ok := Translate([]container.MountPoint{{Type: mount.TypeBind, Source: "/", Destination: "/"}}, "/a/b"); got != "/a/b" || !ok {
		t.Errorf("a mount of everything: %s, %t", got, ok)
	}
}

func TestContainerIDs(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"cgroup v1":         {"12:memory:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n", []string{id, id}},
		"cgroup v1 systemd": {"9:cpu:/system.slice/docker-" + id + ".scope\n", []string{id}},
		"cgroup v2 private": {"0::/\n", nil},
		"mountinfo":         {"700 600 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n", []string{id}},
		"a host's overlay":  {"700 600 0:4 / /var/lib/docker/containers/" + id + "/mounts/shm rw - tmpfs shm rw\n", nil},
		"a host's session":  {"12:memory:/user.slice\n", nil},
	} {
		if got := containerIDs(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestStopSignalsHaveOneForm(t *testing.T) {
	for in, want := range map[string]string{"": "SIGTERM", "TERM": "SIGTERM", "sigterm": "SIGTERM", "15": "SIGTERM", "SIGUSR1": "SIGUSR1", "10": "SIGUSR1", "37": "37"} {
		if got := signal(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWhatRegistriesAnswer(t *testing.T) {
	e := &Engine{limits: defaultLimits(), absences: absences{}}
	for text, want := range map[string]fault.Class{
		"manifest for a:b not found: manifest unknown":                                     fault.Unreachable,
		"pull access denied for x, repository does not exist or may require authorization": fault.Blocked,
		"Get https://r/v2/: unauthorized: authentication required":                         fault.Blocked,
		"Get \"https://r/v2/\": no basic auth credentials":                                 fault.Blocked,
		"no matching manifest for linux/amd64 in the manifest list entries":                fault.Rejected,
		"Get \"https://r/v2/\": dial tcp: lookup r on 1.1.1.1:53: no such host":            fault.Unreachable,
		"lookup registry.example: server misbehaving, not found":                           fault.Unreachable,
		"net/http: TLS handshake timeout":                                                  fault.Unreachable,
		"toomanyrequests: You have reached your pull rate limit":                           fault.Unreachable,
		"write /var/lib/docker/tmp/x: no space left on device":                             fault.Unreachable,
	} {
		err := e.pullError(t.Context(), "a:b", errorText(text))
		if got := fault.Of(err); got != want || fault.Advice(err) == "" {
			t.Errorf("%q is %v (hint %q), want %v", text, got, fault.Advice(err), want)
		}
	}
	if len(e.absences) != 1 {
		t.Errorf("absent are %v, want one", e.absences)
	}
}
