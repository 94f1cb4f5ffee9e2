package docker

import (
	"cmp"
	"slices"

	"github.com/docker/docker/api/types/blkiodev"
	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/spec"
)

func writeLimits(r spec.Resources, f form) {
	h := f.host
	h.Resources = container.Resources{
		NanoCPUs: r.NanoCPUs, CPUShares: r.CPUShares, CPUPeriod: r.CPUPeriod, CPUQuota: r.CPUQuota,
		CPURealtimePeriod: r.CPURealtimePeriod, CPURealtimeRuntime: r.CPURealtimeRuntime, CpusetCpus: r.CPUSet,
		Memory: r.Memory, MemoryReservation: r.MemoryReservation, MemorySwap: r.MemorySwap,
		MemorySwappiness: r.MemorySwappiness, CgroupParent: r.CgroupParent, BlkioWeight: r.BlkioWeight,
		DeviceCgroupRules: r.DeviceCgroupRules,
	}
	if r.OOMKillDisable {
		h.OomKillDisable = &r.OOMKillDisable
	}
	if r.PidsLimit != 0 {
		h.PidsLimit = &r.PidsLimit
	}
	h.OomScoreAdj, h.ShmSize = r.OOMScoreAdj, r.ShmSize
	for _, u := range r.Ulimits {
		h.Ulimits = append(h.Ulimits, &container.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	writeBlkio(r.BlkioDevices, h)
	writeDevices(r, h)
}

func readLimits(f form, r *spec.Resources) {
	h := f.host
	*r = spec.Resources{
		NanoCPUs: h.NanoCPUs, CPUShares: h.CPUShares, CPUPeriod: h.CPUPeriod, CPUQuota: h.CPUQuota,
		CPURealtimePeriod: h.CPURealtimePeriod, CPURealtimeRuntime: h.CPURealtimeRuntime, CPUSet: h.CpusetCpus,
		Memory: h.Memory, MemoryReservation: h.MemoryReservation, MemorySwap: memorySwap(h.Resources),
		OOMScoreAdj: h.OomScoreAdj, ShmSize: h.ShmSize, CgroupParent: h.CgroupParent, BlkioWeight: h.BlkioWeight,
		DeviceCgroupRules: sorted(h.DeviceCgroupRules),
	}
	if h.MemorySwappiness != nil && *h.MemorySwappiness >= 0 {
		r.MemorySwappiness = h.MemorySwappiness
	}
	r.OOMKillDisable = h.OomKillDisable != nil && *h.OomKillDisable
	if h.PidsLimit != nil && *h.PidsLimit > 0 {
		r.PidsLimit = *h.PidsLimit
	}
	for _, u := range h.Ulimits {
		r.Ulimits = append(r.Ulimits, spec.Ulimit{Name: u.Name, Soft: u.Soft, Hard: u.Hard})
	}
	slices.SortFunc(r.Ulimits, func(a, b spec.Ulimit) int { return cmp.Compare(a.Name, b.Name) })
	readBlkio(h, r)
	readDevices(h, r)
}

// memorySwap is zero for what the engine takes when only memory is limited:
// twice as much.
func memorySwap(r container.Resources) int64 {
	if r.Memory > 0 {
		return unless(r.MemorySwap, 2*r.Memory)
	}
	return r.MemorySwap
}

func blkioLists(h *container.HostConfig) map[string]*[]*blkiodev.ThrottleDevice {
	return map[string]*[]*blkiodev.ThrottleDevice{
		"read_bps": &h.BlkioDeviceReadBps, "write_bps": &h.BlkioDeviceWriteBps,
		"read_iops": &h.BlkioDeviceReadIOps, "write_iops": &h.BlkioDeviceWriteIOps,
	}
}

const blkioWeight = "weight"

func writeBlkio(devices []spec.BlkioDevice, h *container.HostConfig) {
	lists := blkioLists(h)
	for _, d := range devices {
		if d.Kind == blkioWeight {
			h.BlkioWeightDevice = append(h.BlkioWeightDevice, &blkiodev.WeightDevice{Path: d.Path, Weight: uint16(d.Rate)})
		} else if list := lists[d.Kind]; list != nil {
			*list = append(*list, &blkiodev.ThrottleDevice{Path: d.Path, Rate: d.Rate})
		}
	}
}

func readBlkio(h *container.HostConfig, r *spec.Resources) {
	for _, d := range h.BlkioWeightDevice {
		r.BlkioDevices = append(r.BlkioDevices, spec.BlkioDevice{Kind: blkioWeight, Path: d.Path, Rate: uint64(d.Weight)})
	}
	for kind, list := range blkioLists(h) {
		for _, d := range *list {
			r.BlkioDevices = append(r.BlkioDevices, spec.BlkioDevice{Kind: kind, Path: d.Path, Rate: d.Rate})
		}
	}
	slices.SortFunc(r.BlkioDevices, func(a, b spec.BlkioDevice) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path))
	})
}
