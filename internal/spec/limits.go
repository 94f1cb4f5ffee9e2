package spec

// Resources are the limits and shares of a container; memory in bytes.
type Resources struct {
	NanoCPUs           int64           `json:"cpus,omitempty"` // 1e9 is one core
	CPUShares          int64           `json:"cpu_shares,omitempty"`
	CPUPeriod          int64           `json:"cpu_period,omitempty"`
	CPUQuota           int64           `json:"cpu_quota,omitempty"`
	CPURealtimePeriod  int64           `json:"cpu_rt_period,omitempty"`
	CPURealtimeRuntime int64           `json:"cpu_rt_runtime,omitempty"`
	CPUSet             string          `json:"cpuset,omitempty"`
	Memory             int64           `json:"memory,omitempty"`
	MemoryReservation  int64           `json:"memory_reservation,omitempty"`
	MemorySwap         int64           `json:"memswap_limit,omitempty"`
	MemorySwappiness   *int64          `json:"mem_swappiness,omitempty"`
	OOMKillDisable     bool            `json:"oom_kill_disable,omitempty"`
	OOMScoreAdj        int             `json:"oom_score_adj,omitempty"`
	PidsLimit          int64           `json:"pids_limit,omitempty"`
	ShmSize            int64           `json:"shm_size,omitempty"`
	CgroupParent       string          `json:"cgroup_parent,omitempty"`
	BlkioWeight        uint16          `json:"blkio_weight,omitempty"`
	BlkioDevices       []BlkioDevice   `json:"blkio_devices,omitempty"`
	Ulimits            []Ulimit        `json:"ulimits,omitempty"`
	Devices            []Device        `json:"devices,omitempty"`
	DeviceCgroupRules  []string        `json:"device_cgroup_rules,omitempty"`
	DeviceRequests     []DeviceRequest `json:"device_requests,omitempty"` // gpus and reservations.devices
}

// BlkioDevice is one per-device block I/O setting. Kind is weight, read_bps,
// write_bps, read_iops or write_iops.
type BlkioDevice struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	Rate uint64 `json:"rate"`
}

// Ulimit is one process limit.
type Ulimit struct {
	Name string `json:"name"`
	Soft int64  `json:"soft"`
	Hard int64  `json:"hard"`
}

// Device maps a host device into the container.
type Device struct {
	Source      string `json:"source"`
	Target      string `json:"target"`
	Permissions string `json:"permissions"`
}

// DeviceRequest asks a device driver (GPUs) for devices; Count -1 is all.
type DeviceRequest struct {
	Driver       string            `json:"driver,omitempty"`
	Count        int               `json:"count,omitempty"`
	IDs          []string          `json:"device_ids,omitempty"`
	Capabilities []string          `json:"capabilities,omitempty"`
	Options      map[string]string `json:"options,omitempty"`
}

// Security is what a container may do on its host.
type Security struct {
	Privileged  bool              `json:"privileged,omitempty"`
	ReadOnly    bool              `json:"read_only,omitempty"`
	CapAdd      []string          `json:"cap_add,omitempty"`
	CapDrop     []string          `json:"cap_drop,omitempty"`
	SecurityOpt []string          `json:"security_opt,omitempty"`
	Sysctls     map[string]string `json:"sysctls,omitempty"`
	// IPC, PID, UTS, UserNS and Cgroup are namespace modes; service:NAME refers
	// to another slot.
	IPC        string            `json:"ipc,omitempty"`
	PID        string            `json:"pid,omitempty"`
	UTS        string            `json:"uts,omitempty"`
	UserNS     string            `json:"userns_mode,omitempty"`
	Cgroup     string            `json:"cgroup,omitempty"`
	StorageOpt map[string]string `json:"storage_opt,omitempty"`
}
