package config

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
	Registry string `yaml:"registry,omitempty" json:"registry,omitempty" rule:"registryHost"`
	// Size is how large a pack may be. Default 64GiB.
	Size Bytes `yaml:"size,omitempty" json:"size,omitempty" rule:"1MiB..16TiB"`
}
