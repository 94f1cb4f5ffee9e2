package config

import (
	"maps"
	"regexp"
	"slices"
)

// Registries say where images come from, besides their own registry.
type Registries struct {
	// Mirrors are asked before a registry, by its host: docker.io. "*" is for all
	// that have no entry of their own.
	Mirrors map[string]RegistryMirror `yaml:"mirrors,omitempty" json:"mirrors,omitempty" keys:"registry"`
	// Configs are logins and certificates, by HOST[:PORT] of a mirror or a registry.
	Configs map[string]RegistryConfig `yaml:"configs,omitempty" json:"configs,omitempty" keys:"registryHost"`
}

// RegistryMirror is what is asked instead of one registry.
type RegistryMirror struct {
	// Endpoint are addresses, asked in order.
	Endpoint []string `yaml:"endpoint,omitempty" json:"endpoint,omitempty" rule:"endpoint"`
	// Rewrite are regular expressions of repositories, and what mirrors call them: $1
	// is the first group. The longest expression that matches is used.
	Rewrite map[string]string `yaml:"rewrite,omitempty" json:"rewrite,omitempty" rule:"repository"`
	// Fallback asks the registry itself where no endpoint has an image. Default true.
	Fallback *bool `yaml:"fallback,omitempty" json:"fallback,omitempty"`
}

// Alone tells whether the registry itself is never asked.
func (m RegistryMirror) Alone() bool { return !or(m.Fallback, true) }

// RegistryConfig is how a mirror or a registry is reached.
type RegistryConfig struct {
	Auth RegistryAuth `yaml:"auth,omitempty" json:"auth,omitzero"`
	TLS  RegistryTLS  `yaml:"tls,omitempty" json:"tls,omitzero"`
}

// RegistryAuth is a login.
type RegistryAuth struct {
	Username string `yaml:"username,omitempty" json:"username,omitempty"`
	// PasswordFile is read anew at each use.
	PasswordFile string `yaml:"passwordFile,omitempty" json:"passwordFile,omitempty" rule:"abs"`
}

// RegistryTLS are certificates; the files are read anew at each use.
type RegistryTLS struct {
	// CAFile is an authority beside the system's.
	CAFile string `yaml:"caFile,omitempty" json:"caFile,omitempty" rule:"abs"`
	// CertFile and KeyFile are of a client certificate.
	CertFile string `yaml:"certFile,omitempty" json:"certFile,omitempty" rule:"abs"`
	KeyFile  string `yaml:"keyFile,omitempty" json:"keyFile,omitempty" rule:"abs"`
	// InsecureSkipVerify trusts whoever answers.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify,omitempty" json:"insecureSkipVerify,omitempty"`
}

// Images say where images lie on this host.
type Images struct {
	// Archives is a directory that is looked into before any network.
	Archives string `yaml:"archives,omitempty" json:"archives,omitempty" rule:"abs"`
}

// checkRegistries checks what concerns several fields of registries at once.
func (d *decoder) checkRegistries(r Registries) {
	for _, name := range slices.Sorted(maps.Keys(r.Mirrors)) {
		at, m := "registries.mirrors."+name, r.Mirrors[name]
		for _, pattern := range slices.Sorted(maps.Keys(m.Rewrite)) {
			if _, err := regexp.Compile(pattern); err != nil {
				d.add(d.lines[join(at, "rewrite")], "such as ^library/(.*)", "%s.rewrite: %q is no regular expression", at, shorten(pattern))
			}
		}
		if len(m.Endpoint) == 0 && m.Alone() {
			d.add(d.lines[at], "give it an endpoint, or remove fallback: false", "%s has no endpoint, and the registry itself is not to be asked", at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Configs)) {
		at, c := "registries.configs."+name, r.Configs[name]
		if (c.Auth.Username == "") != (c.Auth.PasswordFile == "") {
			d.add(d.lines[at], "give both", "%s.auth has one of username and passwordFile", at)
		}
		if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
			d.add(d.lines[at], "give both", "%s.tls has one of certFile and keyFile", at)
		}
		if c.TLS.InsecureSkipVerify && c.TLS.CAFile != "" {
			d.add(d.lines[at], "keep caFile", "%s.tls: caFile is of no use where nobody is verified", at)
		}
	}
}
