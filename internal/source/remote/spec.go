package remote

import "syncd.io/syncd/internal/resource"

// Spec is everything that the child needs to reach a repository. It holds
// secrets: it goes over a pipe and is never printed.
type Spec struct {
	URL string `json:"url"`
	// Username and Password are for HTTPS.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// SSHKey is a private key in PEM, KnownHosts the file's content.
	SSHKey        string `json:"sshKey,omitempty"`
	SSHPassphrase string `json:"sshPassphrase,omitempty"`
	KnownHosts    string `json:"knownHosts,omitempty"`
	// CA are extra certificate authorities in PEM.
	CA string `json:"ca,omitempty"`
	// ClientCert and ClientKey are a certificate to show, in PEM.
	ClientCert string `json:"clientCert,omitempty"`
	ClientKey  string `json:"clientKey,omitempty"`
	// SSHAgent is the socket of an ssh-agent whose keys log in.
	SSHAgent string `json:"sshAgent,omitempty"`
	// Proxy is the URL of an HTTP proxy: the child has no environment.
	Proxy string `json:"proxy,omitempty"`
}

// String hides what the spec holds.
func (s Spec) String() string { return s.URL + " " + resource.Mask }

// GoString hides what the spec holds.
func (s Spec) GoString() string { return s.String() }
