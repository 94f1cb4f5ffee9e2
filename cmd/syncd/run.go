package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/server"
)

// readers is the group whose members may read at the agent's socket.
const readers = "syncd"

const runHelp = `Follows the repository: polls it, applies what changes, repairs drift, puts the
last good revision back when a change fails, and answers the other verbs at its
socket. It runs until SIGINT or SIGTERM; SIGHUP makes it look now.

With --read-only it reports and never acts: a shadow beside the tool of today.

Its log has one line for each pass that did or found something.`

// runFlags are what the agent is told besides its configuration.
type runFlags struct {
	readOnly bool
	interval time.Duration
	format   string
	level    string
}

func (c *cli) runVerb() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Run the agent",
		Long:    runHelp,
		Example: "  syncd run --config /etc/syncd/syncd.yaml\n  syncd run --repo https://git.example.org/deploy.git --state /var/lib/syncd --read-only",
		Args:    func(cmd *cobra.Command, args []string) error { return between(cmd, args, 0, 0) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), f) },
	}
	cmd.Flags().BoolVar(&f.readOnly, "read-only", false, "report, and never act")
	cmd.Flags().DurationVar(&f.interval, "interval", 0, "the time between two polls (default repo.interval, 30s)")
	cmd.Flags().StringVar(&f.format, "log-format", "auto", "text, json, or auto: text on a terminal")
	cmd.Flags().StringVar(&f.level, "log-level", "info", "the least that is logged: debug, which explains every decision, info, warn or error")
	return cmd
}

func (c *cli) run(ctx context.Context, f runFlags) error {
	kept, counted := keepMemory(), newMeters()
	host, err := c.runSettings(f)
	if err != nil {
		return err
	}
	log, err := c.logger(f.format, f.level)
	if err != nil {
		return err
	}
	if counted.traces, err = newTracer(host, log); err != nil {
		return err
	}
	people, err := tellerOf(ctx, host, inChild(), f.readOnly, log)
	if err != nil {
		return err
	}
	marks, err := markerOf(host, f.readOnly, log)
	if err != nil {
		return err
	}
	forges, err := feedbackOf(host, f.readOnly, log)
	if err != nil {
		return err
	}
	counted.queues = queuesOf(people, marks, forges)
	alive := newVitals()
	w := wiring{
		vitals: alive, why: because(log), engine: awaited, readOnly: f.readOnly, log: log,
		hear:   forges.hearing(marks.hearing(people.hearing(counted.hearing(kept.hearing(tellTo(log)))))),
		meters: counted, teller: people, marker: marks, feedback: forges,
		progress: func(e reconcile.Event) { log.Info(e.Text) },
		note:     func(text string) { log.Warn(text) },
	}
	opts := server.Options{Socket: host.Socket, Group: readers, Log: log, About: aboutOf(host, f.readOnly)}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		newTender(alive, "following "+shown(host.Repo.URL), log).run(ctx, over)
	}()
	defer func() { close(over); <-ended }()
	if inSecrets(host) {
		return inTurns(ctx, host, w, opts)
	}
	a, done, err := openLocal(ctx, host, w)
	if ctx.Err() != nil { // told to end before it began
		return finished(done)
	}
	if err != nil {
		return err
	}
	log.Info("following", "repo", shown(host.Repo.URL), "every", rhythm(host.Repo), "state", host.State, "readOnly", f.readOnly, "version", thisBuild().Version)
	err = serve(ctx, a, opts, host, w, func(text string) { log.Info(text) })
	if ctx.Err() != nil {
		log.Info("ending", "cause", context.Cause(ctx).Error())
	}
	return errors.Join(err, done())
}

// finished closes what was opened, if anything was.
func finished(done func() error) error {
	if done == nil {
		return nil
	}
	return done()
}

// runSettings are the settings with the verb's own flags over them.
func (c *cli) runSettings(f runFlags) (config.Host, error) {
	s, err := c.settings()
	switch {
	case err != nil:
		return s.host, err
	case s.unread != nil:
		return s.host, s.unread
	case s.host.Repo.URL == "":
		return s.host, noRepository{}.err()
	case f.interval < 0 || f.interval > 0 && f.interval < time.Second:
		return s.host, hinted("give a second or more, such as 30s", "--interval %v is too short", f.interval)
	case f.interval > 0:
		s.host.Repo.Interval = config.Duration(f.interval)
	}
	return s.host, nil
}

// rhythm says when the repository is looked at.
func rhythm(repo config.Repo) string {
	var all []string
	if repo.Interval > 0 {
		all = append(all, repo.Interval.String())
	}
	return strings.Join(append(all, repo.Schedule...), ", ")
}

func aboutOf(host config.Host, readOnly bool) server.About {
	return server.About{
		Version: thisBuild().Version, Repo: shown(host.Repo.URL), Path: host.Repo.Path,
		Ref: refName(host.Repo.Ref), State: host.State, ReadOnly: readOnly,
	}
}

// serve runs the loop, the API, the page for scrapes, the ears for webhooks and SIGHUP
// and the watch for packs until ctx ends or one of them fails; then it waits for all.
// tell hears what becomes of packs.
func serve(ctx context.Context, a *reconcile.Agent, opts server.Options, host config.Host, w wiring, tell func(string)) error {
	group, ctx := errgroup.WithContext(ctx)
	if err := respond(ctx, group, a, opts, host, w); err != nil {
		return err
	}
	group.Go(func() error { listen(ctx, a.Look); return nil })
	group.Go(func() error { return work(ctx, a, host, opts.About.ReadOnly, tell) })
	return group.Wait()
}

// work runs the loop, and takes packs, until ctx ends or one of them fails; then it
// waits for both. tell hears what becomes of packs.
func work(ctx context.Context, a *reconcile.Agent, host config.Host, readOnly bool, tell func(string)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.Run(ctx) })
	if host.Packs.Dir != "" && !readOnly {
		group.Go(func() error { return watchPacks(ctx, host, tell, a.Look) })
	}
	return group.Wait()
}

// counted is what scrapes are told of.
type counted interface {
	metrics.Gates
	metrics.Remotes
	metrics.Windows
	knowing
}

// answering is who answers and obeys: an agent, or several that take turns.
type answering interface {
	reconcile.Asker
	reconcile.Actor
	counted
	hooked
}

// respond lets the API and the page for scrapes answer, and webhooks come in, as
// part of group.
func respond(ctx context.Context, group *errgroup.Group, who answering, opts server.Options, host config.Host, w wiring) error {
	m := w.meters
	told := append(m.collectors(who), metrics.OfGates(ctx, who), metrics.OfRemotes(who), metrics.OfWindows(who))
	hooks, err := receiver(host.Webhook, who, opts.Log)
	if err != nil {
		return err
	}
	if hooks != nil {
		told = append(told, metrics.OfHooks(hooks))
	}
	page, err := metrics.Handler(told...)
	if err != nil {
		return err
	}
	if hooks != nil {
		group.Go(func() error { return hooks.Serve(ctx) })
	}
	if m.traces != nil {
		group.Go(func() error { return m.traces.run(ctx) })
	}
	opts.Metrics = page
	opts.Healthz, opts.Readyz = w.vitals.probes()
	opts.Listening = w.vitals.rise
	if host.Metrics.Listen != "" {
		pages := metrics.Pages{Metrics: page, Healthz: opts.Healthz, Readyz: opts.Readyz}
		group.Go(func() error { return metrics.Serve(ctx, host.Metrics.Listen, pages, opts.Log) })
	}
	w.vitals.beating(ctx, group, host.Heartbeat, opts.Log)
	group.Go(func() error { return server.Serve(ctx, opts, who, who) })
	return nil
}

// listen calls look at each SIGHUP.
func listen(ctx context.Context, look func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			look()
		case <-ctx.Done():
			return
		}
	}
}
