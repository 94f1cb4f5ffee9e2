package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// reasonBound is how much of a reason stands in a log line, in bytes.
const reasonBound = 2000

// logger makes the agent's log: text for people at a terminal, JSON for those
// who collect it, of lines of at least the level.
func (c *cli) logger(format, level string) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{}
	switch level {
	case "debug", "info", "warn", "error":
		var least slog.Level
		if err := least.UnmarshalText([]byte(level)); err != nil {
			return nil, err
		}
		opts.Level = least
	default:
		return nil, hinted("use debug, info, warn or error", "--log-level %q is no level", level)
	}
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
		return slog.New(slog.NewTextHandler(c.err, opts)), nil
	}
	return slog.New(slog.NewJSONHandler(c.err, opts)), nil
}

// tellTo makes log lines of the agent's events: one for each pass that did or
// found something, one for each step that failed.
func tellTo(log *slog.Logger) func(reconcile.Event) {
	news := &news{told: map[string]string{}}
	return func(e reconcile.Event) {
		switch {
		case e.Result != nil && news.is(*e.Result):
			logResult(log, *e.Result)
		case e.Result != nil:
			logAt(log, slog.LevelDebug, *e.Result)
		case e.Step == nil && e.App == "":
			log.Warn(resource.Harmless(e.Text, reasonBound))
		case e.Step == nil:
			log.Info(resource.Harmless(e.Text, reasonBound), "app", e.App)
		case e.Step.Phase == apply.FailedNow:
			log.Warn(show.EventLine(e), "app", e.App)
		case log.Enabled(context.Background(), slog.LevelDebug):
			log.Debug(show.EventLine(e), "app", e.App)
		}
	}
}

// news remembers what was told of each app: a pass that ends as the one before it
// did is no news.
type news struct {
	mu   sync.Mutex
	told map[string]string
}

func (n *news) is(r reconcile.Result) bool {
	text := fmt.Sprint(r.Outcome, r.Revision.Commit, r.Reason)
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.told[r.App]
	n.told[r.App] = text
	return text != old || r.Outcome == reconcile.Applied || r.Outcome == reconcile.RolledBack
}

// because makes log lines of the agent's decisions; nil where nobody reads them.
func because(log *slog.Logger) func(app, text string) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return func(app, text string) {
		text = resource.Harmless(text, reasonBound)
		if app == "" {
			log.Debug(text)
			return
		}
		log.Debug(text, "app", app)
	}
}

func logResult(log *slog.Logger, r reconcile.Result) { logAt(log, levelOf(r.Outcome), r) }

// logAt has the end of a pass in the log: how, of what, why, and how long each phase
// took.
func logAt(log *slog.Logger, level slog.Level, r reconcile.Result) {
	if !log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{"app", r.App, "outcome", string(r.Outcome), "revision", r.Revision.Short(), "took", r.Duration.String()}
	for _, a := range []struct{ key, value string }{{"reason", r.Reason}, {"cause", r.Cause}, {"hint", r.Hint}, {"author", r.Revision.Author}, {"signer", r.Revision.Signer.String()}} {
		if a.value != "" {
			attrs = append(attrs, a.key, resource.Harmless(a.value, reasonBound))
		}
	}
	for _, phase := range []struct {
		name string
		took resource.Duration
	}{{"render", r.Phases.Render}, {"prepare", r.Phases.Prepare}, {"observe", r.Phases.Observe}, {"rollout", r.Phases.Rollout}, {"soak", r.Phases.Soak}} {
		if phase.took > 0 {
			attrs = append(attrs, phase.name, phase.took.String())
		}
	}
	log.Log(context.Background(), level, "pass", attrs...)
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
