package pull

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// errText bounds what is shown of a server's words, in bytes.
const errText = 300

// refused is a server's answer that is none.
type refused struct {
	status int
	host   string
}

// Error names the server and its answer.
func (r refused) Error() string {
	return fmt.Sprintf("%s answers %d %s", r.host, r.status, http.StatusText(r.status))
}

// classify says what kind of trouble an error is. One that is classified already
// stays.
func classify(ctx context.Context, err error) error {
	var page refused
	var registry *transport.Error
	switch {
	case fault.Of(err) != fault.Unknown:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errPlain), errors.Is(err, errTooLong), mismatch(err):
		return fault.As(fault.Rejected, text(err))
	case errors.As(err, &page):
		return answered(page.status, err)
	case errors.As(err, &registry):
		return answered(registry.StatusCode, err)
	case certificate(err):
		return fault.Hint(fault.As(fault.Unreachable, text(err)), "if the server's certificate has a private authority, name it in repo.auth.caFile")
	}
	return fault.As(fault.Unreachable, text(err))
}

// answered tells a server that is in trouble from one that has no such chart.
func answered(status int, err error) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Hint(fault.As(fault.Blocked, text(err)), "charts are fetched without a login: check repo and name, or use a mirror that gives it to everybody, or commit the chart")
	case status == http.StatusNotFound, status == http.StatusGone:
		return fault.Hint(fault.As(fault.Rejected, text(err)), "check repo, name, version and digest of kubernetes.helm.chart")
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return fault.As(fault.Unreachable, text(err))
	}
	return fault.As(fault.Rejected, text(err))
}

// mismatch knows the library's errors about content that is not what its digest
// says, which have no type.
func mismatch(err error) bool {
	said := err.Error()
	return strings.Contains(said, "does not match requested digest") || strings.Contains(said, "error verifying sha256") || strings.Contains(said, "error verifying size")
}

func certificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &unknown)
}

// text keeps err's words, as far as they are harmless.
func text(err error) error { return errors.New(resource.Harmless(err.Error(), errText)) }
