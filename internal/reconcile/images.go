package reconcile

import (
	"context"
	"slices"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// noteImages remembers the images that came from a registry for this app, as
// soon as they are here: also those of a set that fails have to go again.
func (p *pass) noteImages(objects []resource.Object) {
	rec := &p.record
	for _, c := range containers(objects) {
		if c.Digest != "" && c.Pin != "" && !slices.Contains(rec.Images, c.Pin) {
			rec.Images = append(rec.Images, c.Pin)
		}
	}
}

// pruneImages lets the target forget images that came from a registry for this
// app and that no good set, attempt or past set needs, of this app or of another.
// Where there are none it is not asked: it would look at all that it runs.
func (p *pass) pruneImages(ctx context.Context) {
	rec := &p.record
	for _, set := range setsOf(*rec) {
		p.noteImages(set.Objects)
	}
	pruner, ok := p.agent.opts.Engine.(Pruner)
	if !ok {
		return
	}
	keep := p.neededImages()
	if len(keep) == len(rec.Images) {
		return
	}
	if err := pruner.PruneImages(ctx, keep, rec.Images); err != nil {
		p.result.Notes = append(p.result.Notes, "old images stay: "+err.Error())
		return
	}
	rec.Images = keep
}

// neededImages are those of the app's images that any app could put without a
// registry.
func (p *pass) neededImages() []string {
	var own []string
	for _, set := range setsOf(p.record) {
		own = append(own, pinsOf(set)...)
	}
	workers := p.agent.everyone()
	return slices.DeleteFunc(slices.Clone(p.record.Images), func(pin string) bool {
		return !slices.Contains(own, pin) && !slices.ContainsFunc(workers, func(w *worker) bool {
			return slices.Contains(w.pins(), pin) || w != p.worker && slices.Contains(w.storedPins(), pin)
		})
	})
}

func pinsOf(set state.Set) []string {
	var out []string
	for _, c := range containers(set.Objects) {
		if c.Pin != "" && !slices.Contains(out, c.Pin) {
			out = append(out, c.Pin)
		}
	}
	return out
}

// storedPins are the images of the sets on record. They are worked out once for a
// record: each app that lets an image go asks all others.
func (w *worker) storedPins() []string {
	version := w.version.Load()
	w.mu.Lock()
	known := w.stored
	w.mu.Unlock()
	if known.sure && known.version == version {
		return known.keys
	}
	now := wanted[string]{version: version, sure: true}
	for _, set := range setsOf(w.read()) {
		now.keys = append(now.keys, pinsOf(set)...)
	}
	slices.Sort(now.keys)
	now.keys = slices.Clip(slices.Compact(now.keys))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored = now
	return now.keys
}
