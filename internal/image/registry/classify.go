package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/resource"
)

// errText bounds what is shown of a registry's words, in bytes.
const errText = 300

// classify says what kind of trouble an answer, or the lack of one, is.
func (r *Repo) classify(ctx context.Context, err error) error {
	var said *transport.Error
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	switch {
	case fault.Of(err) != fault.Unknown, errors.Is(err, oci.ErrAbsent), errors.Is(err, oci.ErrOther):
		return err
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return context.Cause(ctx)
	case errors.As(err, &said):
		return answered(said)
	case errors.As(err, &verify), errors.As(err, &invalid):
		return fault.Hint(fault.As(fault.Unreachable, words(err)), "if the certificate has a private authority, name it in registries.configs."+r.name.RegistryStr()+".tls.caFile")
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"): // net/http has no other sign
		return fault.Hint(fault.As(fault.Unreachable, words(err)), "see that the registry has TLS; where it has none on purpose, its address begins with http:// in the settings")
	case errors.Is(err, errPlain):
		return fault.Hint(fault.As(fault.Unreachable, words(err)), "see that the registry does not lead from https to http")
	}
	return fault.Hint(fault.As(fault.Unreachable, words(err)), "see that the host reaches the registry; syncd tries again by itself")
}

// answered tells trouble from "no" and from "not you".
func answered(said *transport.Error) error {
	text := fmt.Sprintf("it answers %d %s", said.StatusCode, http.StatusText(said.StatusCode))
	if len(said.Errors) > 0 {
		text += ": " + string(said.Errors[0].Code) + " " + said.Errors[0].Message
	}
	err := errors.New(resource.Harmless(text, errText))
	switch status := said.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Hint(fault.As(fault.Blocked, err), "give a login in registries.configs, or by `docker login` as the user that runs syncd")
	case status == http.StatusNotFound, status == http.StatusGone:
		return fmt.Errorf("%w: %w", oci.ErrAbsent, err)
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		return fault.Hint(fault.As(fault.Unreachable, err), "syncd tries again by itself")
	}
	return fault.As(fault.Rejected, err)
}

// lies says that a place sends something else than it was asked for.
func (r *Repo) lies(err error) error {
	return fault.Hint(err, r.place.Host()+" serves what it should not: it may be broken, or changed by somebody; what it sent is not used")
}

// words are those of an error, as far as they are harmless, each said once, without
// addresses: they may carry a token.
func words(err error) error {
	var kept []string
	for _, part := range strings.Split(err.Error(), "; ") { // the library may have tried twice
		part = regexp.MustCompile(`(Get|Head|Post|Put|Patch) "[^"]*": `).ReplaceAllString(part, "")
		if !slices.Contains(kept, part) {
			kept = append(kept, part)
		}
	}
	return errors.New(resource.Harmless(strings.Join(kept, "; "), errText))
}
