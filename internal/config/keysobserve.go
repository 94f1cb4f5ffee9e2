package config

// observeKeys are those of metrics, traces and annotations, in the order of its types.
func observeKeys() []keyDoc {
	return []keyDoc{
		{"metrics", "", "Where the agent's metrics can be scraped, besides its socket."},
		{"metrics.listen", "none", "An address and a port, such as `127.0.0.1:9185`, for `GET /metrics`. Whoever reaches it reads: keep it on the loopback, or behind a proxy."},
		{"traces", "", "Where [traces](metrics.md#traces) of passes go; off without an endpoint."},
		{"traces.endpoint", "none", "The http or https URL of an OpenTelemetry collector, such as `http://127.0.0.1:4318`. Without a path, `/v1/traces` is meant."},
		{"traces.headersFile", "none", "A file with headers that go with each request, one `NAME: VALUE` a line: a token stands there. It is read anew each time."},
		{"traces.sample", "100", "How many passes of a hundred are traced."},
		{"annotations", "", "Where deploys and rollbacks are [marked](metrics.md#marks-in-grafana); off without a URL."},
		{"annotations.url", "none", "Grafana's http or https URL, such as `https://grafana.example.org`."},
		{"annotations.tokenFile", "none", "A file with the token of a service account there that may write annotations. It is read anew each time."},
		{"annotations.tokenEnv", "none", "The variable of the agent's environment that holds that token instead."},
	}
}

// heartbeatKeys are those of heartbeat, in the order of its type.
func heartbeatKeys() []keyDoc {
	return []keyDoc{
		{"heartbeat", "", "A URL that is asked while the agent's loops are alive, so that a dead agent is noticed by its silence. See [health](health.md#heartbeat)."},
		{"heartbeat.url", "none", "The URL of a dead man's switch, such as that of a check at healthchecks.io."},
		{"heartbeat.urlFile", "none", "A file that holds the URL, which most often is a secret; it is read anew each time."},
		{"heartbeat.urlEnv", "none", "A variable of the agent's environment that holds it."},
		{"heartbeat.interval", "1m", "The time between two beats, from 1s to 24h."},
		{"heartbeat.timeout", "10s", "What one of them may take, from 1s to 5m."},
		{"heartbeat.fail", "false", "Asks the URL with `/fail` at its end while a loop hangs, instead of being silent."},
		{"heartbeat.caFile", "none", "A certificate authority beside the system's."},
	}
}
