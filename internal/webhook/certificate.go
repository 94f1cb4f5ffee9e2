package webhook

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"syncd.io/syncd/internal/fault"
)

// certificate is what the receiver shows, read anew when its files change: they are
// renewed while the agent runs.
type certificate struct {
	certFile, keyFile string

	mu   sync.Mutex
	last *tls.Certificate
	of   [2]time.Time // when the files were written that last was read from
}

// current returns the certificate. Where new files cannot be read, such as half a
// renewal, the one before still serves. Errors: Blocked.
func (c *certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	written := [2]time.Time{writtenAt(c.certFile), writtenAt(c.keyFile)}
	if c.last != nil && written == c.of {
		return c.last, nil
	}
	fresh, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	switch {
	case err == nil:
		c.last, c.of = &fresh, written
	case c.last == nil:
		err = fault.As(fault.Blocked, fmt.Errorf("read the certificate for webhooks: %w", err))
		return nil, fault.Hint(err, "webhook.certFile and webhook.keyFile are a certificate and its key in PEM")
	}
	return c.last, nil
}

// writtenAt is when a file was written last; zero where it is not there.
func writtenAt(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
