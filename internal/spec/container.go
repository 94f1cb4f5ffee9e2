package spec

import "time"

// Container is one instance of a Compose service.
type Container struct {
	// State is how the engine has it: running for a service, "exited 0" for a job
	// that is done. Renderers leave it empty; adapters fill it in on both sides
	// of a comparison.
	State string `json:"state,omitempty"`
	// Name is the resting name: shop-web-1, or container_name.
	Name    string `json:"name"`
	Project string `json:"project"`
	Service string `json:"service"`
	Number  int    `json:"number"`
	// Image is the reference as the user wrote it; Pin what it was resolved to
	// once for this revision (an image ID "sha256:…"), empty until then. Digest
	// is the registry's name@sha256:… for the same bytes, where one is known.
	Image      string `json:"image"`
	Pin        string `json:"pin,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Platform   string `json:"platform,omitempty"`
	PullPolicy string `json:"pull_policy,omitempty"`

	Command     []string          `json:"command"`    // nil: the image's
	Entrypoint  []string          `json:"entrypoint"` // nil: the image's; empty: none
	Environment map[string]string `json:"environment,omitempty"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	User        string            `json:"user,omitempty"`
	GroupAdd    []string          `json:"group_add,omitempty"`
	Hostname    string            `json:"hostname,omitempty"`
	DomainName  string            `json:"domainname,omitempty"`
	MacAddress  string            `json:"mac_address,omitempty"`
	TTY         bool              `json:"tty,omitempty"`
	StdinOpen   bool              `json:"stdin_open,omitempty"`
	Init        *bool             `json:"init,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"` // the user's own only
	Annotations map[string]string `json:"annotations,omitempty"`

	Ports  []Port   `json:"ports,omitempty"`
	Expose []string `json:"expose,omitempty"` // 8080/tcp

	// NetworkMode is bridge, host, none, service:NAME or container:NAME; empty
	// where Networks say it all.
	NetworkMode string     `json:"network_mode,omitempty"`
	Networks    []Endpoint `json:"networks,omitempty"`
	DNS         []string   `json:"dns,omitempty"`
	DNSOptions  []string   `json:"dns_opt,omitempty"`
	DNSSearch   []string   `json:"dns_search,omitempty"`
	ExtraHosts  []string   `json:"extra_hosts,omitempty"` // host:ip
	Links       []string   `json:"links,omitempty"`

	Mounts      []Mount           `json:"volumes,omitempty"`
	Tmpfs       map[string]string `json:"tmpfs,omitempty"`        // path -> options
	VolumesFrom []string          `json:"volumes_from,omitempty"` // service:NAME:ro | container:NAME

	Healthcheck *Healthcheck  `json:"healthcheck,omitempty"`
	Restart     RestartPolicy `json:"restart"`
	StopSignal  string        `json:"stop_signal,omitempty"`
	// StopGrace is nil for the engine's default (10 s).
	StopGrace *time.Duration `json:"stop_grace_period,omitempty"`
	PostStart []Hook         `json:"post_start,omitempty"`
	PreStop   []Hook         `json:"pre_stop,omitempty"`
	// Drain is the pause between the end of PreStop and the stop signal, for a
	// proxy in front that syncd does not know. It is the agent's own to keep: a
	// change of it changes no container.
	Drain time.Duration `json:"drain,omitempty"`

	Resources Resources `json:"resources"`
	Security  Security  `json:"security"`
	Logging   *Logging  `json:"logging,omitempty"`
	Runtime   string    `json:"runtime,omitempty"`
}

// Port is one published port; ranges are already spread out.
type Port struct {
	HostIP string `json:"host_ip,omitempty"`
	// Published is empty for an ephemeral port.
	Published string `json:"published,omitempty"`
	Target    int    `json:"target"`
	Protocol  string `json:"protocol"` // tcp, udp, sctp
}

// Endpoint joins a container to a network.
type Endpoint struct {
	// Network is the key of network/KEY; Name the engine's name of it.
	Network string `json:"network"`
	Name    string `json:"name"`
	// Aliases do not include the container's own ID or name; the service's name
	// is among them.
	Aliases      []string          `json:"aliases,omitempty"`
	IPv4         string            `json:"ipv4_address,omitempty"`
	IPv6         string            `json:"ipv6_address,omitempty"`
	LinkLocalIPs []string          `json:"link_local_ips,omitempty"`
	MacAddress   string            `json:"mac_address,omitempty"`
	DriverOpts   map[string]string `json:"driver_opts,omitempty"`
	Priority     int               `json:"priority,omitempty"`
	GwPriority   int               `json:"gw_priority,omitempty"`
}

// Mount is one mount point.
type Mount struct {
	// Type is volume, bind, tmpfs, npipe or image.
	Type string `json:"type"`
	// Source is a host path or MountPrefix path for a bind, the engine's volume
	// name for a volume, empty for an anonymous volume.
	Source   string `json:"source,omitempty"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"read_only,omitempty"`
	// Consistency, Propagation, SELinux, NoCopy, Subpath, TmpfsSize (bytes) and
	// TmpfsMode (octal bits) as in Compose's long form.
	Consistency string `json:"consistency,omitempty"`
	Propagation string `json:"propagation,omitempty"`
	SELinux     string `json:"selinux,omitempty"`
	// CreateHostPath makes a missing bind source (Compose's default in the
	// short form); false is an error when the source is missing.
	CreateHostPath bool   `json:"create_host_path,omitempty"`
	NoCopy         bool   `json:"nocopy,omitempty"`
	Subpath        string `json:"subpath,omitempty"`
	TmpfsSize      int64  `json:"tmpfs_size,omitempty"`
	TmpfsMode      uint32 `json:"tmpfs_mode,omitempty"`
}

// Healthcheck as the engine knows it. Test is ["NONE"], ["CMD", …] or
// ["CMD-SHELL", …]; nil keeps the image's test.
type Healthcheck struct {
	Test          []string      `json:"test,omitempty"`
	Interval      time.Duration `json:"interval,omitempty"`
	Timeout       time.Duration `json:"timeout,omitempty"`
	StartPeriod   time.Duration `json:"start_period,omitempty"`
	StartInterval time.Duration `json:"start_interval,omitempty"`
	Retries       int           `json:"retries,omitempty"`
}

// RestartPolicy is the engine's restart policy; Name is no, always,
// unless-stopped or on-failure.
type RestartPolicy struct {
	Name       string `json:"name"`
	MaxRetries int    `json:"max_retries,omitempty"`
}

// Hook is a command that runs in the container at a point of its life.
type Hook struct {
	Command     []string          `json:"command"`
	User        string            `json:"user,omitempty"`
	Privileged  bool              `json:"privileged,omitempty"`
	WorkingDir  string            `json:"working_dir,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
}

// Logging is the log driver and its options.
type Logging struct {
	Driver  string            `json:"driver,omitempty"`
	Options map[string]string `json:"options,omitempty"`
}
