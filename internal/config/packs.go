package config

import "strings"

// Packs say how this host takes packs: files that bring revisions and images where
// no network does.
type Packs struct {
	// Dir is watched for packs.
	Dir string `yaml:"dir,omitempty" json:"dir,omitempty" rule:"abs"`
	// AllowedSignersFile lists who may sign them, as ssh-keygen(1) says.
	AllowedSignersFile string `yaml:"allowedSignersFile,omitempty" json:"allowedSignersFile,omitempty" rule:"abs"`
	// AllowUnsigned takes packs that nobody signed.
	AllowUnsigned bool `yaml:"allowUnsigned,omitempty" json:"allowUnsigned,omitempty"`
	// Registry is where images of packs are pushed, for the nodes of a cluster to ask.
	Registry string `yaml:"registry,omitempty" json:"registry,omitempty" rule:"registryAddress"`
	// AllowHTTP permits a registry of plain HTTP, without a login.
	AllowHTTP bool `yaml:"allowHTTP,omitempty" json:"allowHTTP,omitempty"`
	// Size is how large a pack may be. Default 64GiB.
	Size Bytes `yaml:"size,omitempty" json:"size,omitempty" rule:"1MiB..16TiB"`
}

// checkPacks finds a registry to which nothing could be pushed, or not in private.
func (d *decoder) checkPacks(p Packs, r Registries) {
	const key = "packs.registry"
	host, plain := strings.CutPrefix(p.Registry, "http://")
	switch {
	case plain && !p.AllowHTTP:
		d.add(d.lines[key], "use https; packs.allowHTTP: true permits http without a login", key+" is of plain http, which is neither private nor safe from changes on the way")
	case plain && r.Configs[host].Auth != (RegistryAuth{}):
		d.add(d.lines[key], "use https, or remove registries.configs."+host+".auth", key+": a login is never sent over plain http")
	}
}
