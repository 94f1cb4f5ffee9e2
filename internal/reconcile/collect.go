package reconcile

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

// Mounter is an engine that knows which files its containers mount.
type Mounter interface {
	// Mounted returns the hashes of the materialised files that containers mount,
	// stopped ones too, and whoever made them.
	Mounted(ctx context.Context) ([]string, error)
}

// collect throws away what nobody needs any more: old snapshots, charts and mounts.
func (a *Agent) collect(ctx context.Context, c *catalog) {
	workers, err := a.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return
	}
	commits := []string{c.snapshot.Revision.Commit}
	for _, w := range workers {
		if used := w.commit(); used != "" { // a pass goes on with the revision that it began with
			commits = append(commits, used)
		}
	}
	if err := a.opts.Source.Collect(commits...); err != nil {
		a.hear(Event{Text: "old snapshots stay: " + err.Error()})
	}
	if err := a.collectCharts(c); err != nil {
		a.hear(Event{Text: "old charts stay: " + err.Error()})
	}
	if err := a.collectMounts(ctx, workers); err != nil {
		a.hear(Event{Text: "old mounts stay: " + err.Error()})
	}
}

// collectCharts removes the charts that no app of the revision names. What was
// rendered of others is on record.
func (a *Agent) collectCharts(c *catalog) error {
	if a.opts.Charts == nil {
		return nil
	}
	var keep []config.Chart
	for _, app := range c.apps {
		if chart := app.Config.Kubernetes.Helm.Chart; chart.Repo != "" {
			keep = append(keep, chart)
		}
	}
	return a.opts.Charts.Collect(keep...)
}

// collectMounts removes the mounts that no container, no set on record and no
// latest rendering refers to. What is put is on record before it is.
func (a *Agent) collectMounts(ctx context.Context, workers []*worker) error {
	keep := map[string]bool{}
	for _, w := range workers {
		for _, m := range w.mounts() {
			keep[m] = true
		}
	}
	if mounter, ok := a.opts.Engine.(Mounter); ok {
		mounted, err := mounter.Mounted(ctx)
		if err != nil {
			return fmt.Errorf("ask what containers mount: %w", err)
		}
		for _, m := range mounted {
			keep[m] = true
		}
	}
	_, err := a.opts.Mounts.Collect(keep)
	return err
}

// mounts are those of the record, and of the rendering that is about to be put.
func (w *worker) mounts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := mountsOf(w.seen)
	if w.rendered != nil {
		out = append(out, w.rendered.set.Mounts...)
	}
	return out
}

// use is what the pass under way needs before the record says so.
type use struct {
	commit string
	pins   []string
}

// commit is the one that the pass under way goes by; empty where none is.
func (w *worker) commit() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.using.commit
}

// pins are the images that the pass under way is about to put.
func (w *worker) pins() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.using.pins
}

func (w *worker) setUse(u use) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.using = u
}

// hold keeps the images of objects from being removed for another app, to the
// pass's end.
func (p *pass) hold(objects []resource.Object) {
	p.setUse(use{commit: p.catalog.snapshot.Revision.Commit})
	p.holdAlso(objects)
}

// holdAlso holds these besides what is held.
func (p *pass) holdAlso(objects []resource.Object) {
	u := use{commit: p.catalog.snapshot.Revision.Commit, pins: slices.Clone(p.pins())}
	for _, c := range containers(objects) {
		u.pins = append(u.pins, c.Pin)
	}
	p.setUse(u)
}
