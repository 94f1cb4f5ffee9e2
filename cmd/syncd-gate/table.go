package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/gate"
)

// table hands over what comes in, and prints the gate's answer.
func (p program) table(ctx context.Context, s settings) error {
	raw, err := io.ReadAll(io.LimitReader(p.in, gate.MaxTable+1))
	if err != nil {
		return fmt.Errorf("read the table: %w", err)
	}
	if len(raw) > gate.MaxTable {
		return fault.As(fault.Rejected, fmt.Errorf("the gate's table is longer than %d bytes", gate.MaxTable))
	}
	a, err := gate.AskSettled(ctx, s.dir, raw, s.wait)
	if err != nil {
		return err
	}
	return json.NewEncoder(p.out).Encode(a)
}
