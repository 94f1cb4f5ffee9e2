package docker

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// Mounted returns the hashes of the materialised files that containers mount, in
// order: of all containers, stopped ones and those of others too, for whoever
// mounts a file would lose it. Errors: Unreachable.
func (e *Engine) Mounted(ctx context.Context) ([]string, error) {
	dir, err := e.mountsDir(ctx)
	if err != nil || dir == "" {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{All: true})
	if err != nil {
		return nil, e.classify(ctx, "list containers", err)
	}
	hashes := map[string]bool{}
	for _, c := range list {
		for _, m := range c.Mounts {
			if hash := hashIn(dir, m); hash != "" {
				hashes[hash] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(hashes)), nil
}

// hashIn returns the name of the materialised entry that m is in; empty where it
// is in none.
func hashIn(dir string, m container.MountPoint) string {
	rest, ok := below(dir, m.Source)
	if !ok || m.Type != mount.TypeBind {
		return ""
	}
	hash, _, _ := strings.Cut(rest, "/")
	return hash
}
