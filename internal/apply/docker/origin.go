package docker

import (
	"context"

	"syncd.io/syncd/internal/resource"
)

// Origin returns the containers of a project that something else than this agent
// made, and the directory that they were started from: what adopt takes over.
func (e *Engine) Origin(ctx context.Context, project string) (dir string, refs []resource.Ref, err error) {
	slots, err := e.projectContainers(ctx, project)
	if err != nil {
		return "", nil, err
	}
	for _, f := range slots {
		if f.labels()[labelApp] == project && e.made(f.labels()) {
			continue
		}
		refs = append(refs, resource.Ref{ID: f.ID})
		if dir == "" {
			dir = f.labels()[labelWorkingDir]
		}
	}
	return dir, refs, nil
}
