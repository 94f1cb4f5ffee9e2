package main

import (
	"context"
	"log/slog"

	"syncd.io/syncd/internal/gate"
)

// serve runs a gate until ctx ends and what is in flight has drained.
func (p program) serve(ctx context.Context, s settings) error {
	log := slog.New(slog.NewTextHandler(p.err, nil))
	g, err := gate.Start(ctx, gate.Options{Dir: s.dir, Listen: s.listen, Version: thisVersion(), Log: log})
	if err != nil {
		return err
	}
	g.Wait()
	return nil
}
