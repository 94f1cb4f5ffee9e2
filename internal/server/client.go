package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"syncd.io/syncd/internal/fault"
)

const (
	// maxAnswer bounds what the client takes, in bytes.
	maxAnswer = 256 << 20
	// aboutLimit is how long an agent may take to say who it is.
	aboutLimit = 5 * time.Second
)

// ErrNoAgent is in the error of a call that found no agent at the socket.
var ErrNoAgent = errors.New("no agent answers")

// Client asks a running agent. It implements reconcile.Asker and
// reconcile.Actor. Errors have the class and the hint that the agent gave them;
// Unreachable where it does not answer (then also ErrNoAgent), Blocked where it
// does not talk to this user.
type Client struct {
	// Socket is the path of the agent's Unix socket.
	Socket string
}

// About asks which agent answers. It is the way to find out whether one does.
func (c Client) About(ctx context.Context) (About, error) { return c.about(ctx, aboutLimit) }

func (c Client) about(ctx context.Context, limit time.Duration) (About, error) {
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	about, err := get[About](timed, c, "/v1/about", nil)
	if err != nil && timed.Err() != nil && ctx.Err() == nil { // the limit is ours, and not the caller's
		err = fault.As(fault.Unreachable, fmt.Errorf("the agent at %s has not answered for %v", c.Socket, limit))
		return about, fault.Hint(err, "its process may be stopped, or the machine overloaded: see its state (ps) and its log, and restart it")
	}
	return about, err
}

func get[T any](ctx context.Context, c Client, path string, query url.Values) (T, error) {
	return call[T](ctx, c, http.MethodGet, path+"?"+query.Encode(), nil)
}

// call sends a request and decodes its whole answer.
func call[T any](ctx context.Context, c Client, method, path string, in any) (T, error) {
	var out T
	body, err := c.do(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return out, c.broken(ctx, err)
	}
	return out, nil
}

// do sends a request and returns the body of an answer that is no failure.
func (c Client) do(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	payload, err := encode(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://syncd"+path, bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	resp, err := c.transport().RoundTrip(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return limited{io.LimitReader(resp.Body, maxAnswer), resp.Body}, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&f); err != nil {
		return nil, c.broken(ctx, fmt.Errorf("status %s: %w", resp.Status, err))
	}
	return nil, f.fault()
}

func encode(in any) ([]byte, error) {
	if in == nil {
		return nil, nil
	}
	data, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return data, nil
}

// limited reads from one and closes the other.
type limited struct {
	io.Reader
	io.Closer
}

// transport makes one connection per call: a command makes one or two.
func (c Client) transport() *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, c.Socket) },
	}
}

// unreached says why there is no answer.
func (c Client) unreached(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("ask the agent: %w", context.Cause(ctx))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		err := fmt.Errorf("%w at %s", ErrNoAgent, c.Socket)
		return fault.Hint(fault.As(fault.Unreachable, err), "start it with syncd run, or name its socket with --socket")
	case errors.Is(err, fs.ErrPermission):
		err := fmt.Errorf("ask the agent at %s: %w", c.Socket, fs.ErrPermission)
		return fault.Hint(fault.As(fault.Blocked, err), "run it with sudo, or, for reading, join the socket's group (usermod -aG syncd USER, then log in again)")
	}
	return fault.As(fault.Unreachable, fmt.Errorf("ask the agent at %s: %w", c.Socket, err))
}

// broken is the error of an answer that ends in the middle.
func (c Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask the agent: %w", context.Cause(ctx))
	}
	err = fault.As(fault.Unreachable, fmt.Errorf("the agent at %s went away before it had answered: %w", c.Socket, err))
	return fault.Hint(err, "see its log; syncd status says how far it came")
}
