package pull

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"syncd.io/syncd/internal/source/chart"
)

// fromRegistry asks a registry for the manifest, and for the layer that it names.
// What has a digest is held against it by the library as it is read.
func (c client) fromRegistry(ctx context.Context, req chart.Request) (fetched, error) {
	at := strings.TrimSuffix(strings.TrimPrefix(req.Repo, chart.OCI), "/") + "/" + req.Name
	repo, err := name.NewRepository(at)
	if err != nil {
		return fetched{}, rejected("%.200q is not a place in a registry: %w", at, err)
	}
	var ref name.Reference = repo.Tag(strings.ReplaceAll(req.Version, "+", "_")) // as helm push names it
	if req.Digest != "" {
		ref = repo.Digest(req.Digest)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(c.http.Transport)}
	found, err := remote.Get(ref, options...)
	if err != nil {
		return fetched{}, fmt.Errorf("read the manifest: %w", err)
	}
	digest, err := chart.LayerOf(found.Manifest)
	if err != nil {
		return fetched{}, rejected("%w", err)
	}
	archive, err := c.layer(repo.Digest(digest), options)
	if err != nil {
		return fetched{}, fmt.Errorf("read the archive: %w", err)
	}
	return fetched{archive: archive, manifest: found.Manifest}, nil
}

func (c client) layer(ref name.Digest, options []remote.Option) ([]byte, error) {
	layer, err := remote.Layer(ref, options...)
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	data, err := io.ReadAll(io.LimitReader(content, chart.MaxArchive+1))
	if err == nil && len(data) > chart.MaxArchive {
		return nil, rejected("it has more than %d MiB", chart.MaxArchive>>20)
	}
	return data, err
}
