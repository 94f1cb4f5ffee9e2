package config

// Kubernetes is the cluster that an agent keeps, where it keeps one.
type Kubernetes struct {
	// Kubeconfig is a file; default in a pod its own account, else the environment's
	// KUBECONFIG, else ~/.kube/config.
	Kubeconfig string `yaml:"kubeconfig,omitempty" json:"kubeconfig,omitempty" rule:"abs"`
	// Context is one of the kubeconfig's; default its current one.
	Context string `yaml:"context,omitempty" json:"context,omitempty"`
	// Namespace is where the agent's own things are: its record, its lease.
	Namespace string `yaml:"namespace,omitempty" json:"namespace,omitempty" rule:"name"`
	// Record is where the record is kept. Default secrets in a pod, else disk.
	Record string `yaml:"record,omitempty" json:"record,omitempty" rule:"secrets|disk"`
	// ServiceAccount is in whose name apps are applied that name none themselves:
	// NAMESPACE/NAME, or NAME in each app's namespace. Default the agent's own.
	ServiceAccount string `yaml:"serviceAccount,omitempty" json:"serviceAccount,omitempty" rule:"account"`
}

// Account is the host's word on apps that name no account; empty on a Docker host.
func (h Host) Account() string {
	if h.Kubernetes == nil {
		return ""
	}
	return h.Kubernetes.ServiceAccount
}

// KubernetesApp is what .syncd.yaml says of an app on a cluster.
type KubernetesApp struct {
	// Path is what is built, relative to the app's directory. Default ".".
	Path string `yaml:"path,omitempty" json:"path,omitempty" rule:"file"`
	// Namespace is that of namespaced objects that name none.
	Namespace string `yaml:"namespace,omitempty" json:"namespace,omitempty"`
	// ServiceAccount is in whose name the app is applied: NAMESPACE/NAME or NAME.
	ServiceAccount string `yaml:"serviceAccount,omitempty" json:"serviceAccount,omitempty" rule:"account"`
	// Labels are put on every object.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty" keys:"label" rule:"labelValue"`
	Helm   Helm              `yaml:"helm,omitempty" json:"helm,omitzero"`
	// Health says how objects of a kind feel: Deployment, Certificate.cert-manager.io.
	Health map[string]KubernetesCheck `yaml:"health,omitempty" json:"health,omitempty" keys:"kind"`
}

// Helm is how a chart is rendered.
type Helm struct {
	// Release is its name; default the app's.
	Release string `yaml:"release,omitempty" json:"release,omitempty" rule:"name"`
	// Values are files relative to the app's directory; later ones win.
	Values []string `yaml:"values,omitempty" json:"values,omitempty" rule:"file"`
	// Set are single values, by dotted path; they win over files.
	Set   map[string]string `yaml:"set,omitempty" json:"set,omitempty" keys:"dotted"`
	Chart Chart             `yaml:"chart,omitempty" json:"chart,omitzero"`
}

// MaxChart is how long a packed chart may be, in bytes, for who fetches it and for who
// renders it. Helm refuses one that is longer than twice that when unpacked.
const MaxChart = 50 << 20

// Chart is a chart that is not in the repository.
type Chart struct {
	// Repo is an https or oci address.
	Repo    string `yaml:"repo,omitempty" json:"repo,omitempty" rule:"chartRepo"`
	Name    string `yaml:"name,omitempty" json:"name,omitempty" rule:"service"`
	Version string `yaml:"version,omitempty" json:"version,omitempty" rule:"version"`
	// Digest is that of the archive (https) or of the manifest (oci).
	Digest string `yaml:"digest,omitempty" json:"digest,omitempty" rule:"digest"`
}

// KubernetesCheck are CEL expressions over `object`.
type KubernetesCheck struct {
	Healthy string `yaml:"healthy,omitempty" json:"healthy,omitempty"`
	Failed  string `yaml:"failed,omitempty" json:"failed,omitempty"`
}
