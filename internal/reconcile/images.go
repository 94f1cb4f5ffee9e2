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
func (p *pass) pruneImages(ctx context.Context) {
	rec := &p.record
	for _, set := range setsOf(*rec) {
		p.noteImages(set.Objects)
	}
	pruner, ok := p.agent.opts.Engine.(Pruner)
	if !ok {
		return
	}
	keep, err := p.neededImages()
	if err == nil {
		err = pruner.PruneImages(ctx, keep, rec.Images)
	}
	if err != nil {
		p.result.Notes = append(p.result.Notes, "old images stay: "+err.Error())
		return
	}
	rec.Images = slices.DeleteFunc(rec.Images, func(pin string) bool { return !slices.Contains(keep, pin) })
}

// neededImages are the pins that any app could put without a registry.
func (p *pass) neededImages() ([]string, error) {
	workers, err := p.agent.known(nil)
	if err != nil {
		return nil, err
	}
	records := []state.Record{p.record}
	for _, w := range workers {
		if w != p.worker {
			records = append(records, w.read())
		}
	}
	var pins []string
	for _, w := range workers {
		pins = append(pins, w.pins()...)
	}
	for _, rec := range records {
		for _, set := range setsOf(rec) {
			for _, c := range containers(set.Objects) {
				pins = append(pins, c.Pin)
			}
		}
	}
	return pins, nil
}
