package main

import (
	"context"
	"log/slog"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// reasonBound is how much of a reason stands in a log line, in bytes.
const reasonBound = 2000

// logger makes the agent's log: text for people at a terminal, JSON for those
// who collect it.
func (c *cli) logger(format string) (*slog.Logger, error) {
	_, people := terminal(c.err)
	switch format {
	case "auto":
	case "text":
		people = true
	case "json":
		people = false
	default:
		return nil, hinted("use auto, text or json", "--log-format %q is no log format", format)
	}
	if people && c.flags.output != asJSON {
		return slog.New(slog.NewTextHandler(c.err, nil)), nil
	}
	return slog.New(slog.NewJSONHandler(c.err, nil)), nil
}

// tellTo makes log lines of the agent's events: one for each pass that did or
// found something, one for each step that failed.
func tellTo(log *slog.Logger) func(reconcile.Event) {
	return func(e reconcile.Event) {
		switch {
		case e.Result != nil:
			logResult(log, *e.Result)
		case e.Step == nil && e.App == "":
			log.Warn(resource.Harmless(e.Text, reasonBound))
		case e.Step == nil:
			log.Info(resource.Harmless(e.Text, reasonBound), "app", e.App)
		case e.Step.Phase == apply.FailedNow:
			log.Warn(show.EventLine(e), "app", e.App)
		default:
			log.Debug(show.EventLine(e), "app", e.App)
		}
	}
}

func logResult(log *slog.Logger, r reconcile.Result) {
	attrs := []any{"app", r.App, "outcome", string(r.Outcome), "revision", r.Revision.Short(), "took", r.Duration.String()}
	for _, a := range []struct{ key, value string }{{"reason", r.Reason}, {"hint", r.Hint}, {"author", r.Revision.Author}} {
		if a.value != "" {
			attrs = append(attrs, a.key, resource.Harmless(a.value, reasonBound))
		}
	}
	log.Log(context.Background(), levelOf(r.Outcome), "pass", attrs...)
}

// levelOf keeps passes that found nothing out of the log.
func levelOf(o reconcile.Outcome) slog.Level {
	switch o {
	case reconcile.Unchanged:
		return slog.LevelDebug
	case reconcile.Applied, reconcile.Superseded, reconcile.Paused, reconcile.Pending:
		return slog.LevelInfo
	case reconcile.Halted, reconcile.Rejected:
		return slog.LevelError
	default:
		return slog.LevelWarn
	}
}
