// Package config reads syncd.yaml (what is particular to one host) and
// .syncd.yaml (what Git says about one app). Decoding is strict: an unknown key
// is an error with file, line and the nearest known key.
package config

// Host is syncd.yaml.
type Host struct {
	Host HostInfo `yaml:"host,omitempty" json:"host,omitzero"`
	Repo Repo     `yaml:"repo" json:"repo"`
	// State is the directory of the agent's record, clone cache and mounts.
	State string `yaml:"state,omitempty" json:"state,omitempty" rule:"abs"`
	// Docker is the engine's address; default the environment's DOCKER_HOST, else
	// the local socket.
	Docker string `yaml:"docker,omitempty" json:"docker,omitempty" rule:"engine"`
	// Kubernetes is the cluster that the agent keeps instead of an engine; nil is
	// none.
	Kubernetes *Kubernetes `yaml:"kubernetes,omitempty" json:"kubernetes,omitempty"`
	// Socket is the Unix socket of the agent's API.
	Socket string `yaml:"socket,omitempty" json:"socket,omitempty" rule:"abs"`
	Gate   Gate   `yaml:"gate,omitempty" json:"gate,omitzero"`
	// Registries and Images are where images come from, besides their own registry.
	Registries Registries `yaml:"registries,omitempty" json:"registries,omitzero"`
	Images     Images     `yaml:"images,omitempty" json:"images,omitzero"`
	// Packs bring revisions and images where no network does.
	Packs Packs `yaml:"packs,omitempty" json:"packs,omitzero"`
	// Limits bound what the child may use.
	Limits  Limits  `yaml:"limits,omitempty" json:"limits,omitzero"`
	Metrics Metrics `yaml:"metrics,omitempty" json:"metrics,omitzero"`
	Traces  Traces  `yaml:"traces,omitempty" json:"traces,omitzero"`
	// Annotations are marks in Grafana.
	Annotations Annotations `yaml:"annotations,omitempty" json:"annotations,omitzero"`
	Webhook     Webhook     `yaml:"webhook,omitempty" json:"webhook,omitzero"`
	// Notify says who is told of what happens.
	Notify Notify `yaml:"notify,omitempty" json:"notify,omitzero"`
	// Feedback are the forges whose commits are told how they fare here.
	Feedback []Feedback `yaml:"feedback,omitempty" json:"feedback,omitempty"`
	// Heartbeat lets a dead agent be noticed.
	Heartbeat Heartbeat `yaml:"heartbeat,omitempty" json:"heartbeat,omitzero"`
	// Sync says when this host's apps may be changed.
	Sync HostSync `yaml:"sync,omitempty" json:"sync,omitzero"`
	// Drift is what holds for apps that say nothing else.
	Drift HostDrift `yaml:"drift,omitempty" json:"drift,omitzero"`
}

// Metrics is where they can be scraped, besides the socket.
type Metrics struct {
	// Listen is ADDRESS:PORT; empty is nowhere.
	Listen string `yaml:"listen,omitempty" json:"listen,omitempty" rule:"listen"`
}

// Gate is what the gates of this host are made of.
type Gate struct {
	// Image is run instead of the image that syncd makes of syncd-gate. Its
	// entrypoint has to be /syncd-gate.
	Image string `yaml:"image,omitempty" json:"image,omitempty" rule:"image"`
}

// HostInfo names this host and gives the values that only it has.
type HostInfo struct {
	// Name is shown in status; default the system's host name.
	Name   string            `yaml:"name,omitempty" json:"name,omitempty"`
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty" keys:"label" rule:"labelValue"`
	// Vars are the values that ${…} may use. The agent's own environment never is.
	Vars map[string]string `yaml:"vars,omitempty" json:"vars,omitempty" keys:"variable"`
	// EnvFiles are dotenv files outside Git, absolute paths; later ones win.
	EnvFiles []string `yaml:"envFiles,omitempty" json:"envFiles,omitempty" rule:"abs"`
}

// Repo is the repository of desired state.
type Repo struct {
	URL string `yaml:"url" json:"url" rule:"url"`
	Ref Ref    `yaml:"ref,omitempty" json:"ref,omitzero"`
	// Path is the directory in the repository that holds the apps. Default: all.
	Path string `yaml:"path,omitempty" json:"path,omitempty" rule:"inside"`
	// Interval is the time between two polls. Default 30s; with a Schedule, none.
	Interval Duration `yaml:"interval,omitempty" json:"interval,omitempty" rule:"1s..24h"`
	// Schedule are cron expressions: times at which to look besides, or instead.
	Schedule []string `yaml:"schedule,omitempty" json:"schedule,omitempty" rule:"cron"`
	// MaxInterval is what that grows to while nothing changes. Default ten times
	// Interval, at most 5m.
	MaxInterval Duration `yaml:"maxInterval,omitempty" json:"maxInterval,omitempty" rule:"1s..24h"`
	// Timeout is what URL, and each mirror, has for its answer. Default 15s.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" rule:"1s..5m"`
	// AllowRewrite lets the followed branch be rewritten, and the tag be moved.
	AllowRewrite bool `yaml:"allowRewrite,omitempty" json:"allowRewrite,omitempty"`
	Auth         Auth `yaml:"auth,omitempty" json:"auth,omitzero"`
	// Mirrors are asked in their order where URL does not answer, or has nothing newer
	// than an old revision.
	Mirrors []Mirror `yaml:"mirrors,omitempty" json:"mirrors,omitempty"`
	// Verify says whose signature a revision needs; nil is nobody's.
	Verify *Verify `yaml:"verify,omitempty" json:"verify,omitempty"`
}

// Mirror is another place where the repository can be had. In the file, its URL
// alone stands for it.
type Mirror struct {
	URL string `yaml:"url" json:"url" rule:"url" short:"true"`
	// Auth is how it is reached; nil is as Repo.Auth says.
	Auth *Auth `yaml:"auth,omitempty" json:"auth,omitempty"`
}

// Ref says what to follow; at most one field is set. None is the remote's HEAD.
type Ref struct {
	Branch string `yaml:"branch,omitempty" json:"branch,omitempty" rule:"ref"`
	Tag    string `yaml:"tag,omitempty" json:"tag,omitempty" rule:"ref"`
	// Semver is a range of versions: the highest tag in it is followed.
	Semver string `yaml:"semver,omitempty" json:"semver,omitempty" rule:"semver"`
	Commit string `yaml:"commit,omitempty" json:"commit,omitempty" rule:"commit"`
}

// Auth is how the repository is reached. Secrets are read from files, anew at
// each use, and never stand in the configuration itself.
type Auth struct {
	Username string `yaml:"username,omitempty" json:"username,omitempty"`
	// PasswordFile holds a password or token; PasswordEnv names a variable of the
	// agent's environment that does, which is not looked at otherwise.
	PasswordFile string `yaml:"passwordFile,omitempty" json:"passwordFile,omitempty" rule:"abs"`
	PasswordEnv  string `yaml:"passwordEnv,omitempty" json:"passwordEnv,omitempty" rule:"variable"`
	// ClientCertFile and ClientKeyFile are a certificate to show over HTTPS.
	ClientCertFile string `yaml:"clientCertFile,omitempty" json:"clientCertFile,omitempty" rule:"abs"`
	ClientKeyFile  string `yaml:"clientKeyFile,omitempty" json:"clientKeyFile,omitempty" rule:"abs"`
	// SSHKeyFile and KnownHostsFile are for ssh URLs; known_hosts is mandatory.
	SSHKeyFile        string `yaml:"sshKeyFile,omitempty" json:"sshKeyFile,omitempty" rule:"abs"`
	SSHPassphraseFile string `yaml:"sshPassphraseFile,omitempty" json:"sshPassphraseFile,omitempty" rule:"abs"`
	// SSHAgent logs in with the keys of the ssh-agent at SSH_AUTH_SOCK.
	SSHAgent       bool   `yaml:"sshAgent,omitempty" json:"sshAgent,omitempty"`
	KnownHostsFile string `yaml:"knownHostsFile,omitempty" json:"knownHostsFile,omitempty" rule:"abs"`
	// KnownHosts says what becomes of a host that is not among them. Default strict.
	KnownHosts string `yaml:"knownHosts,omitempty" json:"knownHosts,omitempty" rule:"strict|accept-new"`
	// CAFile is an extra certificate authority for HTTPS.
	CAFile string `yaml:"caFile,omitempty" json:"caFile,omitempty" rule:"abs"`
	// AllowHTTP permits credentials-free plain HTTP.
	AllowHTTP bool `yaml:"allowHTTP,omitempty" json:"allowHTTP,omitempty"`
}

// Limits bound the child that fetches and renders; zero is the default.
type Limits struct {
	FetchTime   Duration `yaml:"fetchTime,omitempty" json:"fetchTime,omitempty" rule:"1s..24h"`         // 5m
	FetchMemory Bytes    `yaml:"fetchMemory,omitempty" json:"fetchMemory,omitempty" rule:"64MiB..1TiB"` // 1GiB
	FetchDisk   Bytes    `yaml:"fetchDisk,omitempty" json:"fetchDisk,omitempty" rule:"1MiB..1TiB"`      // 2GiB
	File        Bytes    `yaml:"file,omitempty" json:"file,omitempty" rule:"1KiB..1GiB"`                // 5MiB
	Files       int      `yaml:"files,omitempty" json:"files,omitempty" rule:"1..1000000"`              // 20000
	Commits     int      `yaml:"commits,omitempty" json:"commits,omitempty" rule:"1..1000000"`          // 10000
	RenderTime  Duration `yaml:"renderTime,omitempty" json:"renderTime,omitempty" rule:"1s..24h"`       // 60s
	RenderSize  Bytes    `yaml:"renderSize,omitempty" json:"renderSize,omitempty" rule:"1KiB..1GiB"`    // 10MiB
	Objects     int      `yaml:"objects,omitempty" json:"objects,omitempty" rule:"1..100000"`           // 5000
}

// CheckEngine refuses what is no address of an engine; said is where it stands.
// An empty one is none, and fine. The error is Rejected, with an example.
func CheckEngine(said, address string) error {
	if want := breaks("engine", address); address != "" && want != "" {
		return rejected("a local engine's is unix:///var/run/docker.sock, a remote one's looks like tcp://10.0.0.5:2376", "%s is %q: want %s", said, shorten(address), want)
	}
	return nil
}
