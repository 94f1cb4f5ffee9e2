package config

// App is .syncd.yaml: what Git says about one app directory beyond its Compose
// file. Every field is optional.
type App struct {
	// Name is the project's name where the Compose file gives none.
	Name string `yaml:"name,omitempty" json:"name,omitempty" rule:"app"`
	// Owner is who to tell: free text, a team or an address.
	Owner string `yaml:"owner,omitempty" json:"owner,omitempty"`
	// Hosts selects the hosts that run the app; empty selects all.
	Hosts Selector `yaml:"hosts,omitempty" json:"hosts,omitzero"`
	// Compose lists the Compose files, relative to the app's directory; later
	// ones override. Default: compose.yaml and its override, as Compose finds them.
	Compose  []string `yaml:"compose,omitempty" json:"compose,omitempty" rule:"file"`
	Profiles []string `yaml:"profiles,omitempty" json:"profiles,omitempty" rule:"profile"`
	// DependsOn names apps that must be good before this one is changed.
	DependsOn []string `yaml:"dependsOn,omitempty" json:"dependsOn,omitempty" rule:"app"`
	// HostDir is the absolute directory on the host where relative binds live
	// that are writable or that Git does not track.
	HostDir string `yaml:"hostDir,omitempty" json:"hostDir,omitempty" rule:"abs"`
	// Gate is the x-syncd.gate of every service that says none itself and that a
	// gate can serve. Default none.
	Gate string `yaml:"gate,omitempty" json:"gate,omitempty" rule:"tcp|http|none"`
	// Kubernetes says how the app is built for a cluster, and as whom it is applied.
	Kubernetes KubernetesApp  `yaml:"kubernetes,omitempty" json:"kubernetes,omitzero"`
	Sync       Sync           `yaml:"sync,omitempty" json:"sync,omitzero"`
	Drift      Drift          `yaml:"drift,omitempty" json:"drift,omitzero"`
	Rollout    Rollout        `yaml:"rollout,omitempty" json:"rollout,omitzero"`
	Rollback   Rollback       `yaml:"rollback,omitempty" json:"rollback,omitzero"`
	Jobs       map[string]Job `yaml:"jobs,omitempty" json:"jobs,omitempty" keys:"service"`
	Health     Health         `yaml:"health,omitempty" json:"health,omitzero"`
}

// Selector picks hosts by their labels; all must match.
type Selector struct {
	MatchLabels map[string]string `yaml:"matchLabels,omitempty" json:"matchLabels,omitempty" keys:"label" rule:"labelValue"`
}

// Matches tells whether labels carry every wanted pair.
func (s Selector) Matches(labels map[string]string) bool {
	for k, v := range s.MatchLabels {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Sync says what the agent does by itself. Nil is the default.
type Sync struct {
	// Auto applies new revisions without being asked. Default true.
	Auto *bool `yaml:"auto,omitempty" json:"auto,omitempty"`
	// SelfHeal repairs drift; false only reports it. Default true.
	SelfHeal *bool `yaml:"selfHeal,omitempty" json:"selfHeal,omitempty"`
	// Prune removes what is ours and no longer wanted. Default true.
	Prune *bool `yaml:"prune,omitempty" json:"prune,omitempty"`
	// Windows are when the app may be changed; none is always.
	Windows []Window `yaml:"windows,omitempty" json:"windows,omitempty"`
}

// Rollout are the clocks of a change.
type Rollout struct {
	// Timeout is how long an instance may take from start to healthy.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" rule:"1s..24h"`
	// Soak is how long the whole app must stay healthy to be good.
	Soak *Duration `yaml:"soak,omitempty" json:"soak,omitempty" rule:"0s..24h"`
}

// Rollback says what follows a failed change.
type Rollback struct {
	// Auto puts the good revision back. Default true.
	Auto *bool `yaml:"auto,omitempty" json:"auto,omitempty"`
	// Keep is how many good revisions keep their images. Default 2.
	Keep *int `yaml:"keep,omitempty" json:"keep,omitempty" rule:"0..100"`
}

// Job is what to do about a one-shot that changed data.
type Job struct {
	// OnRollback is halt (default), keep, or run: SERVICE.
	OnRollback string `yaml:"onRollback,omitempty" json:"onRollback,omitempty" rule:"onRollback"`
	// Before is a service (a backup) that runs before the job does.
	Before string `yaml:"before,omitempty" json:"before,omitempty" rule:"service"`
}

// Health says what happens to an instance that turns unhealthy after its
// revision is good.
type Health struct {
	// OnUnhealthy is restart or report. Default report.
	OnUnhealthy string `yaml:"onUnhealthy,omitempty" json:"onUnhealthy,omitempty" rule:"restart|report"`
	// Budget is how many restarts per hour and service are allowed. Default 3.
	Budget *int `yaml:"budget,omitempty" json:"budget,omitempty" rule:"0..1000"`
}
