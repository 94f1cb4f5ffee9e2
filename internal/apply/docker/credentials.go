package docker

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker-credential-helpers/client"
	helpers "github.com/docker/docker-credential-helpers/credentials"
	"github.com/docker/docker/api/types/registry"

	"syncd.io/syncd/internal/fault"
)

const (
	// helperLimit is how long a credential helper may take: some ask a cloud.
	helperLimit = 30 * time.Second
	// tokenUser is what a helper calls the user of an identity token.
	tokenUser = "<token>"
)

// Login is how somebody is known to a registry; the zero value is nobody.
type Login struct {
	Username, Password string
	// Identity is what fetches tokens, Token one that is sent as it is.
	Identity, Token string
}

// LoginOf reads the Docker config and its credential helpers anew, and returns how
// `docker login` left somebody known to a registry's host. Errors: Blocked for a
// config that cannot be read, Unreachable for a helper that does not answer.
func LoginOf(ctx context.Context, host string) (Login, error) {
	auth, err := authOf(ctx, host, helperLimit)
	return Login{auth.Username, auth.Password, auth.IdentityToken, auth.RegistryToken}, err
}

// credentials are what the engine sends to the registry of ref. Errors: those of
// LoginOf.
func (e *Engine) credentials(ctx context.Context, ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", rejected("write the image as name:tag", "read image name %q: %w", ref, err)
	}
	auth, err := authOf(ctx, reference.Domain(named), e.limits.helper)
	if err != nil {
		return "", err
	}
	encoded, err := registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, Auth: auth.Auth, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
	if err != nil {
		return "", fmt.Errorf("encode credentials of %s: %w", reference.Domain(named), err)
	}
	return encoded, nil
}

func authOf(ctx context.Context, domain string, helper time.Duration) (types.AuthConfig, error) {
	dir := cmp.Or(os.Getenv(config.EnvOverrideConfigDir), config.Dir())
	file, err := config.Load(dir)
	if err != nil {
		return types.AuthConfig{}, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read Docker config: %w", err)), "repair "+dir+"/config.json")
	}
	if domain == "docker.io" || domain == "registry-1.docker.io" {
		domain = "https://index.docker.io/v1/"
	}
	limited, cancel := context.WithTimeout(ctx, helper)
	defer cancel()
	auth, err := login(limited, file, domain)
	if err != nil {
		return types.AuthConfig{}, fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("get credentials of %s: %w", domain, err)),
			"see that the credential helper named in "+file.Filename+" works")
	}
	return auth, nil
}

// login returns what the config has for a registry, else what its helper says.
// Docker's own way to ask a helper has no end where the helper has none.
func login(ctx context.Context, file *configfile.ConfigFile, domain string) (types.AuthConfig, error) {
	helper, named := file.CredentialHelpers[domain]
	if !named {
		helper = file.CredentialsStore
	}
	plain := *file
	plain.CredentialHelpers, plain.CredentialsStore = nil, ""
	auth, err := plain.GetAuthConfig(domain)
	if err != nil || helper == "" || auth.Password+auth.IdentityToken+auth.RegistryToken != "" {
		return auth, err
	}
	return askHelper(ctx, helper, domain)
}

func askHelper(ctx context.Context, helper, domain string) (types.AuthConfig, error) {
	name := "docker-credential-" + helper
	said, err := client.Get(func(args ...string) client.Program {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.WaitDelay = time.Second // for what it has started, and left
		return &program{cmd}
	}, domain)
	switch {
	case ctx.Err() != nil:
		return types.AuthConfig{}, fmt.Errorf("ask %s: %w", name, context.Cause(ctx))
	case helpers.IsErrCredentialsNotFound(err):
		return types.AuthConfig{}, nil
	case err != nil:
		return types.AuthConfig{}, fmt.Errorf("ask %s: %w", name, err)
	}
	auth := types.AuthConfig{Username: said.Username, Password: said.Secret, ServerAddress: domain}
	if said.Username == tokenUser {
		auth.Username, auth.Password, auth.IdentityToken = "", "", said.Secret
	}
	return auth, nil
}

// program is a command as Docker's client of helpers wants it.
type program struct{ *exec.Cmd }

// Input sets what the helper reads on its standard input.
func (p *program) Input(in io.Reader) { p.Stdin = in }
