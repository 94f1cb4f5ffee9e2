package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
)

// Push gives an image to the repository, under a tag where it is not empty: an index
// with all that it names. What is there already is not sent again, and digests stay
// what they are. Errors: Unreachable, Blocked, Rejected; those of from.
func (r *Repo) Push(ctx context.Context, from oci.Blobs, top ocispec.Descriptor, tag string) error {
	var manifests []ocispec.Descriptor
	err := oci.Walk(ctx, from, top, nil, func(d ocispec.Descriptor) error {
		if isManifest(d) {
			manifests = append(manifests, d)
			return nil
		}
		return r.pushBlob(ctx, from, d)
	})
	if errors.Is(err, oci.ErrAbsent) {
		return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("push image: %w", err)), "a registry wants an image for all platforms that it is made for: gather it with all of them")
	}
	for _, d := range manifests {
		if err == nil {
			err = r.pushManifest(ctx, from, d, d.Digest.String())
		}
	}
	if err == nil && tag != "" {
		err = r.pushManifest(ctx, from, top, tag)
	}
	return err
}

// there tells whether the repository has something; of a tag, whether it means want.
func (r *Repo) there(ctx context.Context, what string, want string) (bool, error) {
	res, err := r.do(ctx, http.MethodHead, r.at(what), nil, 0, http.Header{"Accept": oci.Accepted()})
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return false, nil
	}
	if err := transport.CheckError(res, http.StatusOK); err != nil {
		return false, r.classify(ctx, err)
	}
	return want == "" || res.Header.Get("Docker-Content-Digest") == want, nil
}

func (r *Repo) pushManifest(ctx context.Context, from oci.Blobs, d ocispec.Descriptor, as string) error {
	if there, err := r.there(ctx, "manifests/"+as, d.Digest.String()); there || err != nil {
		return err
	}
	raw, err := oci.Read(ctx, from, d, oci.MaxManifest)
	if err != nil {
		return err
	}
	res, err := r.do(ctx, http.MethodPut, r.at("manifests/"+as), bytes.NewReader(raw), int64(len(raw)), http.Header{"Content-Type": {d.MediaType}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return r.classified(ctx, transport.CheckError(res, http.StatusCreated, http.StatusOK, http.StatusAccepted))
}

// pushBlob sends a blob in one piece, checked as it goes: a registry that gets another
// one than it was promised refuses it.
func (r *Repo) pushBlob(ctx context.Context, from oci.Blobs, d ocispec.Descriptor) error {
	if there, err := r.there(ctx, "blobs/"+d.Digest.String(), ""); there || err != nil {
		return err
	}
	res, err := r.do(ctx, http.MethodPost, r.at("blobs/uploads/"), nil, 0, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := transport.CheckError(res, http.StatusAccepted); err != nil {
		return r.classify(ctx, err)
	}
	to, err := res.Request.URL.Parse(res.Header.Get("Location"))
	if err != nil {
		return fault.As(fault.Unreachable, errors.New("the registry says no address to send to"))
	}
	query := to.Query()
	query.Set("digest", d.Digest.String())
	to.RawQuery = query.Encode()
	content, err := from.Open(ctx, d)
	if err != nil {
		return err
	}
	defer content.Close()
	sent, err := r.do(ctx, http.MethodPut, to, oci.Verified(content, d), d.Size, http.Header{"Content-Type": {"application/octet-stream"}})
	if err != nil {
		return err
	}
	defer sent.Body.Close()
	return r.classified(ctx, transport.CheckError(sent, http.StatusCreated))
}

// at is the address of something in the repository.
func (r *Repo) at(what string) *url.URL {
	return &url.URL{Scheme: r.scheme, Host: r.name.RegistryStr(), Path: "/v2/" + r.name.RepositoryStr() + "/" + what}
}

// do sends one request; the caller closes the answer's body.
func (r *Repo) do(ctx context.Context, method string, at *url.URL, body io.Reader, size int64, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("ask the registry: %w", err))
	}
	if req.ContentLength = size; header != nil {
		req.Header = header
	}
	res, err := r.http.Do(req)
	if err != nil {
		return nil, r.classify(ctx, err)
	}
	return res, nil
}

func (r *Repo) classified(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return r.classify(ctx, err)
}
