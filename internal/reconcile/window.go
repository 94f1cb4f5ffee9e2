package reconcile

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/schedule"
	"syncd.io/syncd/internal/state"
)

// CauseWindow is the cause of a result that only the time stands in the way of.
const CauseWindow = "window"

// causeDependency is the cause of one that waits for another app.
const causeDependency = "dependency"

// Window is what the windows of an app say now.
type Window struct {
	// Open tells whether the app may be changed, Heal whether drift may be repaired.
	Open bool `json:"open"`
	Heal bool `json:"heal,omitempty"`
	// Until is when Open turns into its opposite; zero is not for months.
	Until time.Time `json:"until,omitzero"`
	// Which is the window that decides; empty where none lasts.
	Which string `json:"which,omitempty"`
}

// String says it in a sentence: closed until Mon 2026-11-23 22:00 UTC (…).
func (w Window) String() string {
	text := "closed"
	if w.Open {
		text = "open"
	}
	if !w.Until.IsZero() {
		text += " until " + w.Until.Format("Mon 2006-01-02 15:04 MST")
	}
	if w.Which != "" {
		text += " (" + w.Which + ")"
	}
	return text
}

// neverOpens tells of a window that is closed for months, if not for ever.
func (w *Window) neverOpens() bool { return w != nil && !w.Open && w.Until.IsZero() }

// window judges an app's windows, those of the host and its own; nil is none.
func (a *Agent) window(name string, app config.App) (*Window, error) {
	host, err := timesOf(a.opts.Host.Sync.WindowsFor(name))
	if err != nil {
		return nil, err
	}
	own, err := timesOf(app.Sync.Windows)
	if err != nil {
		return nil, err
	}
	if len(host)+len(own) == 0 {
		return nil, nil
	}
	s := schedule.Judge(a.opts.Now(), host, own)
	return &Window{Open: s.Open, Heal: s.Heal, Until: s.Until, Which: s.Which}, nil
}

func timesOf(windows []config.Window) ([]schedule.Window, error) {
	var out []schedule.Window
	for _, w := range windows {
		times, err := w.Times()
		if err != nil {
			return nil, fault.As(fault.Blocked, err)
		}
		out = append(out, times)
	}
	return out, nil
}

// will is what configuration says about changes to an app now, and nobody yet.
func (a *Agent) will(c *catalog, rec state.Record) (will, error) {
	app := c.settings(rec)
	window, err := a.window(rec.App, app)
	return will{auto: app.AutoSync(), window: window}, err
}

// AppWindows tells of each app that has windows whether it may be changed now, and
// whether something waits for that, as far as its last pass found. It asks nobody.
func (a *Agent) AppWindows() (open, waiting map[string]bool) {
	open, waiting = map[string]bool{}, map[string]bool{}
	c := a.catalog.Load()
	workers, err := a.known(nil)
	if c == nil || err != nil {
		return open, waiting
	}
	for _, w := range present(c, workers) {
		rec := w.read()
		now, err := a.will(c, rec)
		if err != nil || now.window == nil {
			continue // status says what is wrong
		}
		open[w.name] = now.window.Open
		waiting[w.name] = Outcome(rec.Last.Outcome) == Blocked && rec.Last.Cause == CauseWindow
	}
	return open, waiting
}

// shut tells whether the time forbids changes.
func (w will) shut() bool { return w.window != nil && !w.window.Open }

// noHealing tells whether the time forbids that drift is repaired.
func (w will) noHealing() bool { return w.shut() && !w.window.Heal }

// waits is the verdict on something that has to wait for a window.
func (w will) waits(app, what string) verdict {
	v := verdict{
		outcome: Blocked, cause: CauseWindow, opens: w.window.Until,
		reason: fmt.Sprintf("%s, waiting for its window: %s", what, w.window),
		hint:   "to go through it: syncd sync " + app + " --force --reason TEXT",
	}
	return v
}

// force is a person's word that a closed window is gone through.
type force struct{ who, reason string }

// goThrough tells whether the pass goes through the closed window. Who wants that,
// and why, is on record before anything is changed.
func (p *pass) goThrough() (bool, error) {
	f := p.will.force
	if f == nil || p.agent.opts.ReadOnly {
		return false, nil
	}
	if p.through {
		return true, nil
	}
	entry := state.Entry{
		App: p.name, At: p.agent.opts.Now(), Kind: "force", Who: f.who, Revision: p.catalog.snapshot.Revision,
		Outcome: "force", Reason: fmt.Sprintf("%s; the window is %s", f.reason, p.will.window),
	}
	if err := p.saveOrNot(p.record.Clone(), entry); err != nil {
		return false, err
	}
	p.through = true
	p.agent.hear(Event{App: p.name, Text: fmt.Sprintf("%s forces it through the closed window: %s", f.who, f.reason)})
	return true, nil
}

// heldBack is the verdict where the time stands in the way of what the pass would
// do, and nobody forces it; false where it does not.
func (p *pass) heldBack(what string) (verdict, bool) {
	through, err := p.goThrough()
	switch {
	case err != nil:
		return verdictOf(err), true
	case through:
		return verdict{}, false
	}
	return p.will.waits(p.name, what), true
}

// untilOpen is the time until the app's window opens that the last pass met, where
// something waits for it, and never longer than between two full looks.
func (w *worker) untilOpen(longest time.Duration) time.Duration {
	if w.opens.IsZero() {
		return longest
	}
	return min(w.opens.Sub(w.agent.opts.Now()), longest)
}
