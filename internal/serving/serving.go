// Package serving is how the agent's servers begin and end.
package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Until answers at a listener until ctx ends, and closes it. What is under way then has
// so long to finish, before it is cut off. The error is nil after ctx ended in order;
// what is served, it names.
func Until(ctx context.Context, what string, web *http.Server, listener net.Listener, goodbye time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", what, err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := web.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = web.Close()
	}
	<-ended //nolint:errcheck // it is http.ErrServerClosed
	if err != nil {
		return fmt.Errorf("end serving %s: %w", what, err)
	}
	return nil
}
