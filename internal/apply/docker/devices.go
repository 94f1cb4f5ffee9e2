package docker

import (
	"cmp"
	"slices"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

const allDeviceAccess = "rwm"

func writeDevices(r spec.Resources, h *container.HostConfig) {
	for _, d := range r.Devices {
		h.Devices = append(h.Devices, container.DeviceMapping{
			PathOnHost: d.Source, PathInContainer: cmp.Or(d.Target, d.Source),
			CgroupPermissions: cmp.Or(d.Permissions, allDeviceAccess),
		})
	}
	for _, d := range r.DeviceRequests {
		request := container.DeviceRequest{Driver: d.Driver, Count: d.Count, DeviceIDs: d.IDs, Options: d.Options}
		if len(d.Capabilities) > 0 {
			request.Capabilities = [][]string{d.Capabilities}
		}
		h.DeviceRequests = append(h.DeviceRequests, request)
	}
}

func readDevices(h *container.HostConfig, r *spec.Resources) {
	for _, d := range h.Devices {
		r.Devices = append(r.Devices, spec.Device{
			Source: d.PathOnHost, Target: cmp.Or(d.PathInContainer, d.PathOnHost),
			Permissions: cmp.Or(d.CgroupPermissions, allDeviceAccess),
		})
	}
	slices.SortFunc(r.Devices, func(a, b spec.Device) int { return cmp.Compare(a.Target, b.Target) })
	for _, d := range h.DeviceRequests {
		request := spec.DeviceRequest{Driver: d.Driver, Count: d.Count, IDs: filled(d.DeviceIDs), Options: unempty(d.Options)}
		if len(d.Capabilities) > 0 {
			request.Capabilities = sorted(d.Capabilities[0])
		}
		r.DeviceRequests = append(r.DeviceRequests, request)
	}
}
