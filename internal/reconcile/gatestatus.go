package reconcile

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Gates is an engine on which gates publish ports.
type Gates interface {
	// Gates returns an app's gates; where ask is true, with what each says of
	// itself. It takes no longer than a few seconds, whichever of them do not answer.
	Gates(ctx context.Context, app string, ask bool) ([]apply.Gate, error)
	// AllGates returns the gates that run on the engine, by app, with what each says
	// of itself.
	AllGates(ctx context.Context) (map[string][]apply.Gate, error)
	// RenewGate puts a gate of today's program in the place of this one, and starts
	// the old one again where the new one does not come up. Errors: Blocked for one
	// that is not ours.
	RenewGate(ctx context.Context, app string, ref resource.Ref) (apply.Renewal, error)
}

// addGates adds what the app's gates say of themselves: whatever is wrong with
// that is told in their place, and keeps nothing else from being shown.
func (a *Agent) addGates(ctx context.Context, st *Status, s *AppStatus) {
	engine, ok := a.opts.Engine.(Gates)
	if !ok || st.EngineError != "" {
		return
	}
	gates, err := engine.Gates(ctx, s.Name, true)
	if err != nil {
		s.Notes = append(s.Notes, fmt.Sprintf("what its gates do is unknown: %v", err))
	}
	s.Gates = gates
}

// AllGates returns what the gates of this agent's apps say of themselves, by app;
// none where the target has no gates.
func (a *Agent) AllGates(ctx context.Context) (map[string][]apply.Gate, error) {
	engine, ok := a.opts.Engine.(Gates)
	if !ok {
		return nil, nil
	}
	all, err := engine.AllGates(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the gates: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(all, func(app string, _ []apply.Gate) bool { return a.workers[app] == nil })
	return all, nil
}

// leftGates says what becomes of the gates of an app that is released.
func (a *Agent) leftGates(ctx context.Context, app string) (string, error) {
	engine, ok := a.opts.Engine.(Gates)
	if !ok {
		return "", nil
	}
	gates, err := engine.Gates(ctx, app, false)
	if err != nil || len(gates) == 0 {
		return "", err
	}
	var names []string
	for _, g := range gates {
		names = append(names, g.Name)
	}
	list := strings.Join(names, " ")
	return fmt.Sprintf("\nits gates go on, and serve the containers that run now: %s (syncd status %s)", list, app) +
		"\nplain Compose publishes these ports itself, with a gap: take the gates away just before docker compose up: docker rm -f " + list, nil
}
