package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/heartbeat"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/resource"
)

// glance is the longest time between two looks at the agent's own health.
const glance = 10 * time.Second

// statusBound is how much of what is wrong stands in the status of the unit, in bytes.
const statusBound = 500

// tender looks at how the agent is, has its troubles in the log, and tells whoever
// started it: systemd, by sd_notify(3).
type tender struct {
	vitals *vitals
	log    *slog.Logger
	// what the agent does while it is well, as the unit's status says it.
	what string
	// notify tells systemd; it returns false where there is none.
	notify func(state string) (bool, error)
	// watchdog is after how long without a sign systemd kills it; 0 is never.
	watchdog time.Duration

	told, status  string
	deaf, greeted bool
}

// newTender returns one that speaks to the systemd of this process's environment.
func newTender(v *vitals, what string, log *slog.Logger) *tender {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd is not heeded", "error", err)
	}
	return &tender{
		vitals: v, log: log, what: what, watchdog: watchdog,
		notify: func(state string) (bool, error) { return daemon.SdNotify(false, state) },
	}
}

// run looks until ctx ends, and on while the agent ends, until ended is closed.
func (t *tender) run(ctx context.Context, ended <-chan struct{}) {
	every := glance
	if t.watchdog > 0 {
		every = min(every, t.watchdog/2)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	up, over := t.vitals.up, ctx.Done()
	for {
		t.look()
		select {
		case <-ticker.C:
		case <-up:
			up = nil
			t.greeted = true
			t.say(daemon.SdNotifyReady)
		case <-over:
			over = nil
			t.say(daemon.SdNotifyStopping)
		case <-ended:
			return
		}
	}
}

// look looks once. Only while no loop hangs systemd gets a sign.
func (t *tender) look() {
	live := t.vitals.live().Trouble()
	ready := t.vitals.ready().Trouble()
	if live == "" && t.watchdog > 0 {
		t.say(daemon.SdNotifyWatchdog)
	}
	status := t.what
	switch {
	case live != "":
		status = "hung: " + live
	case ready != "":
		status = "not ready: " + ready
	case !t.vitals.busy():
		status = "standing by: another agent leads"
	}
	if status = resource.Harmless(status, statusBound); status != t.status {
		t.status = status
		t.say("STATUS=" + status)
	}
	t.note(live)
}

// note has in the log that a loop hangs, and that none does any more.
func (t *tender) note(live string) {
	switch {
	case live != "" && t.told == "":
		t.log.Error("a loop of the agent hangs", "reason", live, "hint", "a restart mends it: what it was doing is resumed; please report it with a stack (kill -QUIT)")
	case live == "" && t.told != "":
		t.log.Warn("no loop hangs any more")
	}
	t.told = live
}

// say tells systemd. Where that fails, it is in the log, once.
func (t *tender) say(state string) {
	_, err := t.notify(state)
	if err != nil && !t.deaf {
		t.log.Warn("systemd cannot be told how the agent is", "error", err)
	}
	t.deaf = err != nil
}

// probes are the answers to whoever asks how the agent is.
func (v *vitals) probes() (healthz, readyz http.Handler) {
	return pulse.Page(v.live), pulse.Page(v.ready)
}

// beating asks the URL of the heartbeat, where there is one, as part of group.
func (v *vitals) beating(ctx context.Context, group *errgroup.Group, conf config.Heartbeat, log *slog.Logger) {
	if !conf.Wanted() {
		return
	}
	group.Go(func() error {
		heartbeat.Run(ctx, heartbeat.Options{Heartbeat: conf, Busy: v.busy, Well: func() string { return v.live().Trouble() }, Log: log})
		return nil
	})
}

// checkHeartbeat finds out whether the heartbeat's URL can be read; nothing where there
// is none.
func checkHeartbeat(conf config.Heartbeat) []finding {
	const name = "heartbeat"
	if !conf.Wanted() {
		return nil
	}
	if err := heartbeat.Check(conf); err != nil {
		return []finding{failing(name, err, "")}
	}
	return []finding{{Check: name, OK: true, Detail: "its URL is here; it was not asked"}}
}
