package docker

import (
	"context"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/resource"
)

// owner asks for the mark that counts.
func (e *Engine) owner(ctx context.Context, app string) (ownerMark, error) {
	marks, err := e.marks(ctx, app)
	if err != nil || len(marks) == 0 {
		return ownerMark{}, err
	}
	return marks[len(marks)-1], nil
}

func (e *Engine) marks(ctx context.Context, app string) ([]ownerMark, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.VolumeList(limited, volume.ListOptions{Filters: filters.NewArgs(
		filters.Arg("label", labelKind+"="+kindOwner), filters.Arg("label", labelApp+"="+app))})
	if err != nil {
		return nil, e.classify(ctx, "list the marks of who has "+app, err)
	}
	return marksOf(app, list.Volumes), nil
}

// stillOurs refuses to touch an app that was taken over since it was observed.
// Errors: Blocked.
func (t *Target) stillOurs(ctx context.Context) error {
	agent := t.engine.opts.Agent
	if agent == "" {
		return nil
	}
	m, err := t.engine.owner(ctx, t.project)
	if err == nil && m.title(agent) == lost {
		return m.takenOver()
	}
	return err
}

// TakeOver tells every agent on this engine that the app is ours from now on.
// Where it is already, nothing is done. Errors: Blocked where another agent took
// it over at the same time.
func (e *Engine) TakeOver(ctx context.Context, app string) error {
	last, err := e.owner(ctx, app)
	if err != nil || e.opts.Agent == "" || last.title(e.opts.Agent) == held {
		return err
	}
	if err := e.makeMark(ctx, last.next(app, e.opts.Agent)); err != nil {
		return err
	}
	marks, err := e.marks(ctx, app)
	if err != nil || len(marks) == 0 {
		return err
	}
	last = marks[len(marks)-1]
	if err := e.dropMarks(ctx, marks[:len(marks)-1]); err != nil {
		return err
	}
	if last.title(e.opts.Agent) == lost { // in the same moment
		return last.takenOver()
	}
	return nil
}

// HandBack takes away what TakeOver left. What another agent took over since
// then stays that one's.
func (e *Engine) HandBack(ctx context.Context, app string) error {
	marks, err := e.marks(ctx, app)
	if err != nil || len(marks) == 0 || marks[len(marks)-1].title(e.opts.Agent) != held {
		return err
	}
	return e.dropMarks(ctx, marks) // the one that counts goes last
}

// makeMark makes the mark; where another agent has just made it, it is that
// one's.
func (e *Engine) makeMark(ctx context.Context, m ownerMark) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	_, err := e.api.VolumeCreate(limited, volume.CreateOptions{
		Name: m.String(), Driver: localDriver, Labels: map[string]string{labelKind: kindOwner, labelApp: m.app, labelAgent: m.agent},
	})
	if err != nil {
		return e.classify(ctx, "mark "+m.app+" as ours", err)
	}
	return nil
}

func (e *Engine) dropMarks(ctx context.Context, marks []ownerMark) error {
	for _, m := range marks {
		if err := e.removeVolume(ctx, resource.Ref{ID: m.String()}); err != nil {
			return err
		}
	}
	return nil
}
