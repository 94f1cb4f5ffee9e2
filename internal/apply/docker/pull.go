package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"

	"syncd.io/syncd/internal/fault"
)

// pullLimit bounds one pull; the caller's own clock may be shorter.
const pullLimit = time.Hour

// Progress is one line of a running pull.
type Progress struct {
	Image, Layer, Status string
	// Current and Total are bytes; 0 where the engine tells none.
	Current, Total int64
}

// pull fetches an image with the credentials that the Docker config has now.
func (e *Engine) pull(ctx context.Context, ref, platform string) error {
	auth, err := credentials(ref)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	stream, err := e.api.ImagePull(limited, ref, image.PullOptions{RegistryAuth: auth, Platform: platform})
	if err != nil {
		return e.pullError(ctx, ref, err)
	}
	defer stream.Close()
	return e.pullError(ctx, ref, e.follow(ref, stream))
}

// event is one line of the engine's answer.
type event struct {
	ID             string `json:"id"`
	Status         string `json:"status"`
	ProgressDetail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

func (e *Engine) follow(ref string, stream io.Reader) error {
	lines := json.NewDecoder(stream)
	for {
		var line event
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
		if e.opts.Progress != nil {
			e.opts.Progress(Progress{
				Image: ref, Layer: line.ID, Status: line.Status, Current: line.ProgressDetail.Current, Total: line.ProgressDetail.Total,
			})
		}
	}
}

// refusals are what registries and engines say of an image that is not to be
// had; everything else is taken to pass.
func refusals() []advice {
	return []advice{
		{"manifest unknown", "see that the tag exists in the registry"},
		{"not found", "see that the image and tag exist in the registry"},
		{"no such image", "see that the image and tag exist in the registry"},
		{"repository does not exist", "see the image's name; for a private repository: `docker login` as the user that runs syncd"},
		{"access denied", "`docker login` to the registry as the user that runs syncd"},
		{"access to the resource is denied", "`docker login` to the registry as the user that runs syncd"},
		{"unauthorized", "`docker login` to the registry as the user that runs syncd"},
		{"authentication required", "`docker login` to the registry as the user that runs syncd"},
		{"no basic auth credentials", "`docker login` to the registry as the user that runs syncd"},
		{"no matching manifest", "the image is not made for this host's platform"},
		{"does not match the specified platform", "the image is not made for this platform"},
		{"invalid reference", "write the image as name:tag"},
	}
}

// pullError tells an image that cannot be had (Rejected) from a registry that
// does not answer (Unreachable): the latter is never a reason to roll back.
func (e *Engine) pullError(ctx context.Context, ref string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("pull image %s: %w", ref, err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return wrapped
	}
	text := strings.ToLower(err.Error())
	for _, r := range refusals() {
		if strings.Contains(text, r.text) && !transient(text) {
			return fault.Hint(fault.As(fault.Rejected, wrapped), r.hint)
		}
	}
	hint := "see that the host reaches the registry; syncd tries again by itself"
	if strings.Contains(text, "no space left") {
		hint = "free space on the engine's disk; syncd tries again by itself"
	}
	return fault.Hint(fault.As(fault.Unreachable, wrapped), hint)
}

// transient tells texts of network trouble that also contain a refusal's words.
func transient(text string) bool {
	for _, t := range []string{"dial tcp", "lookup ", "timeout", "connection refused", "connection reset", "tls handshake", "toomanyrequests", "too many requests", "x509"} {
		if strings.Contains(text, t) {
			return true
		}
	}
	return false
}

// credentials reads the Docker config and its credential helpers anew, and
// returns what the engine sends to the registry of ref.
func credentials(ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", rejected("write the image as name:tag", "read image name %q: %w", ref, err)
	}
	dir := cmp.Or(os.Getenv(config.EnvOverrideConfigDir), config.Dir())
	file, err := config.Load(dir)
	if err != nil {
		return "", fault.Hint(fmt.Errorf("read Docker config: %w", err), "repair "+dir+"/config.json")
	}
	domain := reference.Domain(named)
	if domain == "docker.io" {
		domain = "https://index.docker.io/v1/"
	}
	auth, err := file.GetAuthConfig(domain)
	if err != nil {
		return "", fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("get credentials of %s: %w", domain, err)),
			"see that the credential helper named in "+file.Filename+" works")
	}
	encoded, err := registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, Auth: auth.Auth, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
	if err != nil {
		return "", fmt.Errorf("encode credentials of %s: %w", domain, err)
	}
	return encoded, nil
}
