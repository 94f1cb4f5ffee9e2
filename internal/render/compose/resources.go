package compose

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// limited maps limits, shares and devices; deploy.resources come after the
// service's own, which compose-go has seen to agree.
func (a *app) limited(s types.ServiceConfig, c *spec.Container) error {
	r := &c.Resources
	*r = spec.Resources{
		NanoCPUs: nano(s.CPUS), CPUShares: s.CPUShares, CPUPeriod: s.CPUPeriod, CPUQuota: s.CPUQuota,
		CPURealtimePeriod: s.CPURTPeriod, CPURealtimeRuntime: s.CPURTRuntime, CPUSet: s.CPUSet,
		Memory: int64(s.MemLimit), MemoryReservation: int64(s.MemReservation), MemorySwap: int64(s.MemSwapLimit),
		OOMKillDisable: s.OomKillDisable, OOMScoreAdj: int(s.OomScoreAdj), PidsLimit: s.PidsLimit,
		ShmSize: int64(s.ShmSize), CgroupParent: s.CgroupParent, DeviceCgroupRules: set(s.DeviceCgroupRules),
		Ulimits: ulimits(s.Ulimits), Devices: devices(s.Devices),
	}
	if a.index.has("services", s.Name, "mem_swappiness") {
		swappiness := int64(s.MemSwappiness)
		r.MemorySwappiness = &swappiness
	}
	blkio(s.BlkioConfig, r)
	for _, g := range s.Gpus {
		r.DeviceRequests = append(r.DeviceRequests, deviceRequest(g, "gpu"))
	}
	if err := a.deployed(s, r); err != nil {
		return err
	}
	r.PidsLimit = max(r.PidsLimit, 0) // -1 is "no limit" too
	return a.sane(s, r)
}

// deployed maps deploy.resources.
func (a *app) deployed(s types.ServiceConfig, r *spec.Resources) error {
	if s.Deploy == nil {
		return nil
	}
	if l := s.Deploy.Resources.Limits; l != nil {
		r.NanoCPUs = cmp.Or(nano(float32(l.NanoCPUs)), r.NanoCPUs)
		r.Memory = cmp.Or(int64(l.MemoryBytes), r.Memory)
		r.PidsLimit = cmp.Or(l.Pids, r.PidsLimit)
		if err := a.noGeneric(s, "deploy.resources.limits", l); err != nil {
			return err
		}
		if len(l.Devices) > 0 {
			return a.reject(s.Name, "deploy.resources.limits.devices", "devices are reserved: deploy.resources.reservations.devices", "not supported")
		}
	}
	if l := s.Deploy.Resources.Reservations; l != nil {
		r.MemoryReservation = cmp.Or(int64(l.MemoryBytes), r.MemoryReservation)
		for _, d := range l.Devices {
			r.DeviceRequests = append(r.DeviceRequests, deviceRequest(d))
		}
		if l.NanoCPUs != 0 {
			a.noteField(s.Name, "deploy.resources.reservations", "cpus are ignored: one engine has nothing to reserve them on")
		}
		return a.noGeneric(s, "deploy.resources.reservations", l)
	}
	return nil
}

func (a *app) noGeneric(s types.ServiceConfig, field string, r *types.Resource) error {
	if len(r.GenericResources) == 0 {
		return nil
	}
	return a.reject(s.Name, field+".generic_resources", "", "not supported on one engine")
}

// sane rejects what the engine would refuse only when it is too late.
func (a *app) sane(s types.ServiceConfig, r *spec.Resources) error {
	for _, of := range []struct {
		field string
		value int64
	}{
		{"cpus", r.NanoCPUs}, {"cpu_shares", r.CPUShares}, {"mem_limit", r.Memory}, {"mem_reservation", r.MemoryReservation}, {"shm_size", r.ShmSize},
	} {
		if of.value < 0 {
			return a.reject(s.Name, of.field, "", "%d is negative", of.value)
		}
	}
	if r.MemorySwappiness != nil && (*r.MemorySwappiness < -1 || *r.MemorySwappiness > 100) {
		return a.reject(s.Name, "mem_swappiness", "", "%d is not between 0 and 100", *r.MemorySwappiness)
	}
	return nil
}

// nano turns a number of cores into billionths.
func nano(cores float32) int64 { return int64(math.Round(decimal(cores) * 1e9)) }

func ulimits(m map[string]*types.UlimitsConfig) []spec.Ulimit {
	var out []spec.Ulimit
	for _, name := range slices.Sorted(maps.Keys(m)) {
		u := m[name]
		if u == nil {
			continue
		}
		limit := spec.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)}
		if u.Single != 0 {
			limit.Soft, limit.Hard = int64(u.Single), int64(u.Single)
		}
		out = append(out, limit)
	}
	return out
}

func devices(list []types.DeviceMapping) []spec.Device {
	var out []spec.Device
	for _, d := range list {
		out = append(out, spec.Device{Source: d.Source, Target: cmp.Or(d.Target, d.Source), Permissions: cmp.Or(d.Permissions, "rwm")})
	}
	slices.SortFunc(out, func(x, y spec.Device) int { return cmp.Compare(x.Target, y.Target) })
	return out
}

// deviceRequest maps gpus and reservations.devices; gpus have the capability
// gpu without saying it.
func deviceRequest(d types.DeviceRequest, implied ...string) spec.DeviceRequest {
	return spec.DeviceRequest{
		Driver: d.Driver, Count: int(d.Count), IDs: set(d.IDs), Options: filled(d.Options),
		Capabilities: set(slices.Concat(d.Capabilities, implied)),
	}
}

func blkio(b *types.BlkioConfig, r *spec.Resources) {
	if b == nil {
		return
	}
	r.BlkioWeight = b.Weight
	for _, d := range b.WeightDevice {
		r.BlkioDevices = append(r.BlkioDevices, spec.BlkioDevice{Kind: "weight", Path: d.Path, Rate: uint64(d.Weight)})
	}
	for _, of := range []struct {
		kind string
		list []types.ThrottleDevice
	}{
		{"read_bps", b.DeviceReadBps}, {"write_bps", b.DeviceWriteBps}, {"read_iops", b.DeviceReadIOps}, {"write_iops", b.DeviceWriteIOps},
	} {
		for _, d := range of.list {
			r.BlkioDevices = append(r.BlkioDevices, spec.BlkioDevice{Kind: of.kind, Path: d.Path, Rate: uint64(max(d.Rate, 0))})
		}
	}
	slices.SortStableFunc(r.BlkioDevices, func(x, y spec.BlkioDevice) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Path, y.Path))
	})
}
