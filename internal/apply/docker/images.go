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
		gone, err := e.removeImage(ctx, id)
		if err != nil {
			return removed, err
		}
		if gone {
			removed = append(removed, id)
		}
	}
	return removed, nil
}

// removeImage removes one that no container uses, with the tags that only say its
// digest; false where it stays, or was gone before.
func (e *Engine) removeImage(ctx context.Context, id string) (gone bool, err error) {
	in, err := e.inspectImage(ctx, id)
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, name := range append(digestTags(in), id) {
		limited, cancel := context.WithTimeout(ctx, writeLimit)
		_, err := e.api.ImageRemove(limited, name, image.RemoveOptions{PruneChildren: true})
		cancel()
		switch {
		case err == nil:
		case cerrdefs.IsConflict(err): // tagged twice, or in use since
			return false, nil
		case cerrdefs.IsNotFound(err): // the last name has taken the image along
		default:
			return false, e.classify(ctx, "remove image "+short(id), err)
		}
	}
	return true, nil
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
