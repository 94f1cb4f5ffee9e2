package config

// Traces are where spans of passes go: an OpenTelemetry collector, by OTLP over HTTP.
type Traces struct {
	// Endpoint is the collector's URL; empty is nowhere. One without a path stands for
	// its /v1/traces.
	Endpoint string `yaml:"endpoint,omitempty" json:"endpoint,omitempty" rule:"web"`
	// HeadersFile holds headers that go with each request, one NAME: VALUE a line, and is
	// read anew each time: a token stands there.
	HeadersFile string `yaml:"headersFile,omitempty" json:"headersFile,omitempty" rule:"abs"`
	// Sample is how many passes of a hundred are traced. Default 100.
	Sample int `yaml:"sample,omitempty" json:"sample,omitempty" rule:"1..100"`
}

// Annotations mark deploys and rollbacks in Grafana.
type Annotations struct {
	// URL is Grafana's; empty is nowhere.
	URL string `yaml:"url,omitempty" json:"url,omitempty" rule:"web"`
	// TokenFile holds the token of a service account there, and is read anew each time;
	// TokenEnv names a variable of the agent's environment that does instead.
	TokenFile string `yaml:"tokenFile,omitempty" json:"tokenFile,omitempty" rule:"abs"`
	TokenEnv  string `yaml:"tokenEnv,omitempty" json:"tokenEnv,omitempty" rule:"variable"`
}
