package main

import (
	"context"

	"syncd.io/syncd/internal/annotate"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/trace"
)

// checkWatchers finds out whether people, collectors and Grafana could be told; nothing
// of those that are not named. None is asked.
func checkWatchers(ctx context.Context, host config.Host) []finding {
	found := append(checkNotify(ctx, host, inChild()), checkFeedback(host)...)
	if conf := host.Traces; conf.Endpoint != "" {
		_, err := trace.New(trace.Options{Endpoint: conf.Endpoint, HeadersFile: conf.HeadersFile, Sample: conf.Sample})
		found = append(found, checked("traces", err, "they go to "+conf.Endpoint+", which was not asked"))
	}
	if conf := host.Annotations; conf.URL != "" {
		err := annotate.Check(conf.URL, conf.TokenFile, conf.TokenEnv)
		found = append(found, checked("annotations", err, "they go to "+conf.URL+", which was not asked"))
	}
	return found
}

// checked is a finding: detail where err is nil.
func checked(name string, err error, detail string) finding {
	if err != nil {
		return failing(name, err, "")
	}
	return finding{Check: name, OK: true, Detail: detail}
}
