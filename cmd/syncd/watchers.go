package main

import (
	"cmp"
	"context"
	"log/slog"
	"strings"

	"syncd.io/syncd/internal/annotate"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
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

// foretold is the finding of whether somebody could be told: the notes, or that all is
// fine, where err is nil.
func foretold(name, fine string, notes []string, err error) finding {
	return checked(name, err, cmp.Or(strings.Join(notes, "; "), fine))
}

// warned says at the start what is not yet as telling needs it, such as a secret that
// may come. Its error is what never will be: Rejected.
func warned(log *slog.Logger, setting string, notes []string, err error) error {
	if fault.Of(err) == fault.Rejected {
		return err
	}
	if err != nil {
		notes = append(notes, err.Error())
	}
	for _, note := range notes {
		log.Warn(note, "setting", setting)
	}
	return nil
}

// checked is a finding: detail where err is nil.
func checked(name string, err error, detail string) finding {
	if err != nil {
		return failing(name, err, "")
	}
	return finding{Check: name, OK: true, Detail: detail}
}
