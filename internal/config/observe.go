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
