package reconcile

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/state"
)

// adopt takes over what Compose started. Without Confirm it only says what
// would stay untouched and what would be replaced.
func (x *act) adopt(ctx context.Context) (ActResult, error) {
	origins, ok := x.agent.opts.Engine.(Origins)
	if !ok {
		return ActResult{}, fault.As(fault.Rejected, fmt.Errorf("this target cannot adopt"))
	}
	dir, refs, err := origins.Origin(ctx, x.req.App)
	if err != nil {
		return ActResult{}, fmt.Errorf("look at what runs as %s: %w", x.req.App, err)
	}
	if len(refs) == 0 && !x.worker.read().Released {
		err := fmt.Errorf("nothing that runs as project %s waits to be taken over", x.req.App)
		return ActResult{}, fault.Hint(fault.As(fault.Rejected, err), "see: docker ps --filter label=com.docker.compose.project="+x.req.App)
	}
	take := func(rec *state.Record) error {
		rec.Adopted = append(rec.Adopted, refs...)
		rec.Released = false
		if rec.HostDir == "" {
			rec.HostDir = dir
		}
		return nil
	}
	if !x.req.Confirm {
		return x.previewAdoption(ctx, take)
	}
	if err := x.change(ctx, "adopt", false, take); err != nil {
		return ActResult{}, err
	}
	return x.pass(ctx, fmt.Sprintf("adopted %d containers of %s", len(refs), x.req.App))
}

func (x *act) previewAdoption(ctx context.Context, take func(*state.Record) error) (ActResult, error) {
	rec := x.worker.read()
	if err := take(&rec); err != nil {
		return ActResult{}, err
	}
	// What runs may mount the very files that Git has: they are compared by
	// content, which therefore has to be there.
	if cand, err := x.worker.candidate(ctx, x.catalog, rec); err == nil {
		if err := x.agent.materialise(ctx, cand); err != nil {
			return ActResult{}, err
		}
	}
	preview := x.agent.preview(ctx, x.catalog, x.worker, rec)
	stay, mend, replace := 0, 0, 0
	for _, s := range preview.Plan.Services {
		stay += s.Of - s.Slots
		if s.How == apply.InPlace { // a name, a limit: what runs goes on running
			mend += s.Slots
		} else {
			replace += s.Slots
		}
	}
	text := fmt.Sprintf("%d containers stay untouched, %d are mended without a restart, %d would be replaced", stay, mend, replace)
	return ActResult{Text: text, Preview: &preview}, nil
}

// release hands the app back: nothing is stopped, and syncd leaves it alone.
func (x *act) release(ctx context.Context) (ActResult, error) {
	text := fmt.Sprintf("nothing is stopped; syncd leaves %s alone from now on, and plain Compose can go on with it", x.req.App)
	if !x.req.Confirm {
		return ActResult{Text: text}, nil
	}
	err := x.change(ctx, "release", true, func(rec *state.Record) error {
		rec.Released, rec.Attempt, rec.Good, rec.Past, rec.Adopted = true, nil, nil, nil, nil
		return nil
	})
	return ActResult{Text: text}, err
}
