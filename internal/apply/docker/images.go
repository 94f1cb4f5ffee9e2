package docker

import (
	"cmp"
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
)

// Image is what an image says about itself.
type Image struct {
	ID string
	// Size is in bytes.
	Size int64
	// Version, Created and Revision are its OCI labels; Created falls back to
	// when it was built. Empty where it has none.
	Version, Created, Revision string
}

// Image returns what the image with this ID or reference says about itself; ok
// is false where the engine does not have it.
func (e *Engine) Image(ctx context.Context, ref string) (out Image, ok bool, err error) {
	in, err := e.inspectImage(ctx, ref)
	if cerrdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, false, err
	}
	out = Image{ID: in.ID, Size: in.Size, Created: in.Created}
	if in.Config != nil {
		const oci = "org.opencontainers.image."
		labels := in.Config.Labels
		out.Version, out.Revision = labels[oci+"version"], labels[oci+"revision"]
		out.Created = cmp.Or(labels[oci+"created"], out.Created)
	}
	return out, true, nil
}

// PruneImages removes those recorded images that are not in keep and that no
// container uses, and returns their IDs. Images that syncd did not record are
// never looked at.
func (e *Engine) PruneImages(ctx context.Context, keep, recorded []string) ([]string, error) {
	used, err := e.usedImages(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range keep {
		used[id] = true
	}
	var removed []string
	for _, id := range recorded {
		if used[id] {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, writeLimit)
		_, err := e.api.ImageRemove(limited, id, image.RemoveOptions{PruneChildren: true})
		cancel()
		switch {
		case err == nil:
			removed = append(removed, id)
		case cerrdefs.IsNotFound(err), cerrdefs.IsConflict(err): // gone, or tagged twice, or in use since
		default:
			return removed, e.classify(ctx, "remove image "+short(id), err)
		}
	}
	return removed, nil
}

func (e *Engine) usedImages(ctx context.Context) (map[string]bool, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	list, err := e.api.ContainerList(limited, container.ListOptions{All: true})
	if err != nil {
		return nil, e.classify(ctx, "list containers", err)
	}
	used := map[string]bool{}
	for _, c := range list {
		used[c.ImageID] = true
	}
	return used, nil
}
