package docker

import (
	"context"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Origin returns what adopting a project would take over: the containers that
// something else than this agent made, or that another agent has by now.
func (e *Engine) Origin(ctx context.Context, project string) (apply.Origin, error) {
	slots, err := e.projectContainers(ctx, project)
	if err != nil {
		return apply.Origin{}, err
	}
	last, err := e.owner(ctx, project)
	if err != nil {
		return apply.Origin{}, err
	}
	return e.origin(&snapshot{project: project, containers: slots, owner: last, title: last.title(e.opts.Agent)}), nil
}

func (e *Engine) origin(s *snapshot) apply.Origin {
	out := apply.Origin{Held: s.title == held}
	if s.title == lost {
		out.Agents = append(out.Agents, s.owner.agent)
	}
	for _, f := range s.containers {
		if maker := f.labels()[labelAgent]; !made(f.labels(), e.opts.Agent) && !slices.Contains(out.Agents, maker) {
			out.Agents = append(out.Agents, maker)
		}
		if s.mayTouch(f.labels(), e.opts.Agent, false) {
			continue
		}
		out.Refs = append(out.Refs, resource.Ref{ID: f.ID})
		if out.Dir == "" {
			out.Dir = f.labels()[labelWorkingDir]
		}
	}
	slices.Sort(out.Agents)
	if e.opts.Agent != "" && !out.Held && (len(out.Refs) > 0 || s.title == lost) {
		out.Mark = resource.Ref{ID: s.owner.next(s.project, e.opts.Agent).String()}
	}
	return out
}
