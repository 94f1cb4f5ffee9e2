package docker

import (
	"reflect"
	"testing"

	"syncd.io/syncd/internal/spec"
)

// notWritten are fields without a case on the engine, and why. Of those that need
// something this machine may not have, TestNewerSettings sees to the encoding.
var notWritten = map[string]string{
	"State": "the adapter's own", "Digest": "for pulling", "Platform": "for pulling", "PullPolicy": "for pulling",
	"Annotations": "newer", "Healthcheck.StartInterval": "newer", "Networks.GwPriority": "newer", "Mounts.Subpath": "newer",
	"Networks.DriverOpts": "newer", "Networks.IPv6": "needs a network with IPv6", "Networks.LinkLocalIPs": "needs a link-local network",
	"Resources.CPURealtimePeriod": "needs a real-time kernel", "Resources.CPURealtimeRuntime": "needs a real-time kernel",
	"Resources.BlkioWeight": "needs a weighting I/O scheduler", "Resources.BlkioDevices": "needs a block device of a known name",
	"Resources.DeviceRequests": "needs a GPU", "Security.StorageOpt": "needs a storage driver with quotas",
	"PostStart.User": "hook", "PostStart.Privileged": "hook", "PostStart.WorkingDir": "hook",
	"PreStop.User": "hook", "PreStop.Privileged": "hook", "PreStop.WorkingDir": "hook", "PreStop.Environment": "hook",
}

// TestEveryFieldOfASpecIsInTheTable: a new field of spec.Container must be
// written, read back and compared on a real engine, or say why not.
func TestEveryFieldOfASpecIsInTheTable(t *testing.T) {
	set := map[string]bool{}
	for _, change := range fields(&fixture{TB: t, project: "p"}, "/dir") {
		c := spec.Container{Name: "n", Project: "p", Service: "s", Number: 1, Image: "i", Pin: "x"}
		if change != nil {
			change(&c)
		}
		mark(set, "", reflect.ValueOf(c))
	}
	all := map[string]bool{}
	list(all, "", reflect.TypeFor[spec.Container]())
	for field := range all {
		if _, known := notWritten[field]; !set[field] && !known {
			t.Errorf("%s is set in no case", field)
		}
	}
}

// list collects the paths of all leaves of a type.
func list(all map[string]bool, at string, typ reflect.Type) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || at == "Resources.BlkioDevices" || at == "Resources.DeviceRequests" {
		all[at] = true
		return
	}
	for i := range typ.NumField() {
		list(all, join(at, typ.Field(i).Name), typ.Field(i).Type)
	}
}

// mark collects the paths of all leaves that are not zero.
func mark(set map[string]bool, at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			set[at] = true
			mark(set, at, v.Elem())
		}
	case reflect.Slice:
		set[at] = set[at] || v.Len() > 0
		for i := range v.Len() {
			mark(set, at, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			mark(set, join(at, v.Type().Field(i).Name), v.Field(i))
		}
	default:
		set[at] = set[at] || !v.IsZero()
	}
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// TestNewerSettings reads what write says, as a newer engine would give it back.
func TestNewerSettings(t *testing.T) {
	c := spec.Container{
		Name: "n", Project: "p", Service: "s", Number: 1, Image: "i",
		Annotations: map[string]string{"a": "b"},
		Healthcheck: &spec.Healthcheck{Test: []string{"CMD", "x"}, StartInterval: 1e9},
		Mounts:      []spec.Mount{{Type: "image", Source: "i", Target: "/i", Subpath: "a"}, {Type: "volume", Source: "v", Target: "/v", Subpath: "b"}},
		Networks: []spec.Endpoint{{
			Network: "n", Name: "p_n", IPv6: "fd00::5", LinkLocalIPs: []string{"169.254.1.1"}, DriverOpts: map[string]string{"o": "p"}, GwPriority: 3,
		}},
		Resources: spec.Resources{
			CPURealtimePeriod: 1, CPURealtimeRuntime: 2, BlkioWeight: 300,
			BlkioDevices: []spec.BlkioDevice{{Kind: "read_bps", Path: "/dev/a", Rate: 5}, {Kind: "read_iops", Path: "/dev/a", Rate: 6},
				{Kind: "weight", Path: "/dev/a", Rate: 7}, {Kind: "write_bps", Path: "/dev/a", Rate: 8}, {Kind: "write_iops", Path: "/dev/a", Rate: 9}},
			DeviceRequests: []spec.DeviceRequest{{Driver: "nvidia", Count: -1, Capabilities: []string{"gpu"}, Options: map[string]string{"k": "v"}}, {IDs: []string{"0"}}},
		},
		Security: spec.Security{StorageOpt: map[string]string{"size": "1G"}},
		Restart:  spec.RestartPolicy{Name: "no"},
	}
	got := stored(c, &imageFacts{})
	c.State = stateRunning
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got  %+v\nwant %+v", got, c)
	}
}
