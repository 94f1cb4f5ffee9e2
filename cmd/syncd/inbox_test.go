package main

import (
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// Who takes the images of packs is asked before a pack is read.
func TestWhoTakesImagesIsAskedFirst(t *testing.T) {
	for name, c := range map[string]struct {
		host config.Host
		want fault.Class
	}{
		"a registry": {config.Host{Kubernetes: &config.Kubernetes{}, Packs: config.Packs{Registry: "registry.lan:5000"}}, fault.Unknown},
		"nobody":     {config.Host{Kubernetes: &config.Kubernetes{}}, fault.Blocked},
		"no engine":  {config.Host{Docker: "unix:///nowhere.sock"}, fault.Unreachable},
	} {
		c.host.State = t.TempDir()
		if err := (loading{c.host}).Ready(t.Context()); fault.Of(err) != c.want || (err == nil) != (c.want == fault.Unknown) {
			t.Errorf("%s: %v (%v), want %v", name, err, fault.Of(err), c.want)
		}
	}
}
