package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// errText bounds what is shown of a server's words, in bytes.
const errText = 300

// Classify says what kind of trouble a transport's error is. An error that is
// classified already, or is a context's, stays. The server's own texts are cut
// and made harmless; bodies of refusals are not shown at all.
func Classify(err error) error {
	if err == nil || fault.Of(err) != fault.Unknown || errors.Is(err, context.Canceled) {
		return err
	}
	err = bared(err)
	var busy *Busy
	switch {
	case errors.As(err, &busy):
		return fault.Later(fault.As(fault.Unreachable, busy), busy.After)
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return ErrEmpty()
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return fault.As(fault.Blocked, errors.New("the Git server wants a login, or refused the one given"))
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return fault.As(fault.Blocked, errors.New("the Git server refused access to the repository"))
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return fault.Hint(fault.As(fault.Rejected, errors.New("the Git server knows no such repository")), "check repo.url; a server answers so too when the login may not see the repository: check repo.auth")
	case redirected(err):
		return fault.Hint(fault.As(fault.Unreachable, text(err)), "if the repository has moved, set repo.url to its new place")
	case errors.Is(err, errAdvertised):
		return fault.Hint(fault.As(fault.Rejected, errAdvertised), "use a repository of its own for what is deployed")
	case unwelcome(err):
		return fault.Hint(fault.As(fault.Blocked, text(err)), "the server wants a client certificate that it knows: check repo.auth.clientCertFile, and whether it has expired")
	case certificate(err):
		return fault.Hint(fault.As(fault.Unreachable, text(err)), "if the server's certificate has a private authority, name it in repo.auth.caFile")
	}
	return fault.As(fault.Unreachable, text(err))
}

// bared is what go-git says to be unexpected where a pack was asked for: its own error
// hides what is in it.
func bared(err error) error {
	var unexpected *plumbing.UnexpectedError
	if errors.As(err, &unexpected) && unexpected.Err != nil {
		return unexpected.Err
	}
	return err
}

// redirected knows go-git's own refusals too, which have no type.
func redirected(err error) bool {
	return errors.Is(err, errRedirect) || strings.Contains(err.Error(), "http redirect: ")
}

func certificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &unknown)
}

// unwelcome tells of a server that takes no client without a certificate that it
// knows: it ends the handshake with an alert, which crypto/tls names.
func unwelcome(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" && strings.Contains(op.Err.Error(), "certificate")
}

// text keeps err's chain out, and its words in, as far as they are harmless.
func text(err error) error {
	var line *pktline.ErrorLine
	var network net.Error
	switch {
	case errors.As(err, &line):
		return fmt.Errorf("the Git server says: %s", resource.Harmless(line.Text, errText))
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("the Git server did not answer in time: %s", resource.Harmless(err.Error(), errText))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("the Git server's answer ended too early: %s", resource.Harmless(err.Error(), errText))
	}
	return errors.New(resource.Harmless(err.Error(), errText))
}
