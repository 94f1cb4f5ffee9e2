// Package spec is the typed form of what an Object's Spec says on a Docker
// engine: the border between the Compose renderer, which writes it, and the
// Docker adapter, which reads it back from `inspect` into the same form. Fields
// carry Compose's names where Compose has one, so that a difference is printed
// in the words of the user's own file. Standard library only.
//
// A nil or zero field means "the engine's or the image's default". The adapter
// fills these in when it says how the engine would store a spec.
package spec

import "time"

// The kinds of slots on a Docker engine.
const (
	// KindContainer slots are container/SERVICE/NUMBER.
	KindContainer = "container"
	// KindNetwork slots are network/KEY.
	KindNetwork = "network"
	// KindVolume slots are volume/KEY.
	KindVolume = "volume"
	// KindRoute slots are route/SERVICE/PORT.
	KindRoute = "route"
)

// MountPrefix begins the source of a bind whose content comes from Git, or from
// a config or secret: "mount:HASH/NAME". The adapter puts the state directory,
// as the engine sees it, in its place.
const MountPrefix = "mount:"

// Network is a Compose network.
type Network struct {
	// Name is the engine's name (project_key, or as given).
	Name     string            `json:"name"`
	External bool              `json:"external,omitempty"`
	Driver   string            `json:"driver,omitempty"`
	Options  map[string]string `json:"driver_opts,omitempty"`
	Internal bool              `json:"internal,omitempty"`
	// Attachable and IPv6 as in Compose.
	Attachable bool              `json:"attachable,omitempty"`
	EnableIPv6 bool              `json:"enable_ipv6,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	IPAM       *IPAM             `json:"ipam,omitempty"`
}

// IPAM is a network's address plan.
type IPAM struct {
	Driver  string            `json:"driver,omitempty"`
	Options map[string]string `json:"options,omitempty"`
	Config  []Subnet          `json:"config,omitempty"`
}

// Subnet is one address pool.
type Subnet struct {
	Subnet       string            `json:"subnet,omitempty"`
	Gateway      string            `json:"gateway,omitempty"`
	IPRange      string            `json:"ip_range,omitempty"`
	AuxAddresses map[string]string `json:"aux_addresses,omitempty"`
}

// Volume is a Compose volume.
type Volume struct {
	Name     string            `json:"name"`
	External bool              `json:"external,omitempty"`
	Driver   string            `json:"driver,omitempty"`
	Options  map[string]string `json:"driver_opts,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Route is a published port whose traffic a gate hands from one instance to
// the next.
type Route struct {
	Service string `json:"service"`
	// Mode is tcp or http.
	Mode string `json:"mode"`
	Port Port   `json:"port"`
	// Drain is how long an old instance may finish what it has begun; 0 is the
	// gate's default.
	Drain time.Duration `json:"drain,omitempty"`
	// ProxyProtocol (tcp) tells the service the client's address; Sticky (http)
	// keeps a client at its instance.
	ProxyProtocol bool `json:"proxy_protocol,omitempty"`
	Sticky        bool `json:"sticky,omitempty"`
	// Aliases are the service's names by network (the engine's name): there the gate
	// answers to them at the container's own port, and the containers do not.
	Aliases map[string][]string `json:"aliases,omitempty"`
	// State is written by the adapter only: running, or what its gate is instead.
	State string `json:"state,omitempty"`
	// Backends is written by the adapter only, of a live route: what it does not
	// serve and should.
	Backends string `json:"backends,omitempty"`
}
