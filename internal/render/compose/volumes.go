package compose

import (
	"cmp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// volume makes a volume's object. A local volume that binds a relative
// directory lives in hostDir, like any other writable directory.
func (a *app) volume(key string, v types.VolumeConfig) (resource.Object, error) {
	out := spec.Volume{
		Name: v.Name, External: bool(v.External), Driver: v.Driver,
		Options: filled(v.DriverOpts), Labels: filled(v.Labels),
	}
	if name := reservedIn(v.Labels); name != "" {
		return resource.Object{}, a.rejectIn("volume", key, "labels", "", "%s: this label is the engine's and syncd's own", name)
	}
	if device := v.DriverOpts["device"]; device != "" && bound(v) {
		host, err := a.device(key, device)
		if err != nil {
			return resource.Object{}, err
		}
		out.Options["device"] = host
	}
	return a.encode(resource.Object{Key: resource.Key{Kind: spec.KindVolume, Name: key}}, out)
}

// bound tells of a local volume that is a bind mount in disguise.
func bound(v types.VolumeConfig) bool {
	if v.Driver != "" && v.Driver != "local" {
		return false
	}
	for _, o := range strings.Split(v.DriverOpts["o"], ",") {
		if o == "bind" || o == "rbind" {
			return true
		}
	}
	return false
}

func (a *app) device(key, device string) (string, error) {
	if rel, inside := a.repo.Rel(device); inside {
		return a.hostPath(rel, func(hint, format string, args ...any) error {
			return a.blockIn("volume", key, "driver_opts.device", hint, format, args...)
		})
	}
	return a.ofHost(device, func(hint, format string, args ...any) error {
		return a.rejectIn("volume", key, "driver_opts.device", cmp.Or(hint, "write an absolute path"), format, args...)
	})
}
