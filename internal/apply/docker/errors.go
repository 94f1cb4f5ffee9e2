package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/spec"
)

const pingLimit = 3 * time.Second

// advice is a way out for a text that engines or registries answer with.
type advice struct{ text, hint string }

// diskFull is what engines say when their disk is.
const diskFull = "no space left on device"

// shortages are what engines say of a host that has too little of something, or whose
// firewall was loaded anew beneath them: whatever was asked for, no revision is to blame.
func shortages() []advice {
	return []advice{
		{diskFull, "free space on the engine's disk; syncd tries again by itself"},
		{"cannot allocate memory", "free memory on the host; syncd tries again by itself"},
		{"too many open files", "raise the engine's limit of open files; syncd tries again by itself"},
		{"resource temporarily unavailable", "raise the engine's limit of tasks; syncd tries again by itself"},
		{"non-overlapping IPv4 address pool", "the engine ran out of subnets; remove unused networks with `docker network prune`"},
		{"No chain/target/match by that name", "the firewall was loaded anew; restart the engine, which makes its chains again"},
	}
}

// lacking tells whether err is that the host is short of something.
func lacking(err error) bool { return hinted(shortages(), err) != "" }

// hints are ways out for texts that engines answer with.
func hints() []advice {
	return append(shortages(), []advice{
		{"port is already allocated", "another container holds this port; `docker ps` shows which"},
		{"address already in use", "another process on the host holds this port; `ss -ltnp` shows which"},
		{"bind source path does not exist", "make the directory on the host, or track the file in the repository"},
		{"executable file not found", "the command does not exist in the image"},
		{"Pool overlaps", "another network has this subnet; choose another one"},
		{"could not select device driver", "the engine has no runtime for this device; install it (for GPUs: nvidia-container-toolkit)"},
		{"No such image", "the image is not here and was not pulled"},
		{"not found or not manually created", "create the external network, or let the project make it"},
	}...)
}

// classify says what kind of trouble err is, and what was being done. ctx is the
// caller's: its end is passed on, while a deadline of ours is an engine that
// does not answer.
func (e *Engine) classify(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", doing, err)
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return wrapped
	case lacking(err):
		return fault.Hint(fault.As(fault.Unreachable, wrapped), hintFor(err))
	case refusal(err):
		return fault.Hint(fault.As(fault.Rejected, wrapped), hintFor(err))
	case cerrdefs.IsInternal(err) && e.alive(ctx):
		return fault.Hint(fault.As(fault.Rejected, wrapped), hintFor(err))
	}
	return e.unreachable(ctx, doing, err)
}

// refusal tells whether the engine understood and said no.
func refusal(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsInvalidArgument(err) || cerrdefs.IsConflict(err) ||
		cerrdefs.IsPermissionDenied(err) || cerrdefs.IsUnauthorized(err) || cerrdefs.IsNotImplemented(err) || cerrdefs.IsNotModified(err)
}

// refused classifies why c could not be made. Its image was here when it was pinned:
// where it is gone, somebody has removed it since.
func (e *Engine) refused(ctx context.Context, doing string, c spec.Container, err error) error {
	if c.Pin != "" && cerrdefs.IsNotFound(err) && strings.Contains(strings.ToLower(err.Error()), "no such image") {
		return vanished("it is fetched again by itself", fmt.Errorf("%s: image %s is not here any more: %w", doing, c.Image, err))
	}
	return e.classify(ctx, doing, err)
}

// vanished makes an error of what was here, and was removed meanwhile.
func vanished(hint string, err error) error {
	return fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("%w; it was removed meanwhile", err)), hint)
}

func (e *Engine) unreachable(ctx context.Context, doing string, err error) error {
	wrapped := fmt.Errorf("%s: %w", doing, err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return wrapped
	}
	hint := "see that the Docker engine runs: `systemctl status docker`"
	if strings.Contains(err.Error(), "permission denied") {
		hint = "run syncd as root or in the group docker, which may open " + e.api.DaemonHost()
	}
	return fault.Hint(fault.As(fault.Unreachable, wrapped), hint)
}

func hintFor(err error) string { return hinted(hints(), err) }

// hinted returns the hint for the first text that err has; empty where it has none.
func hinted(texts []advice, err error) string {
	text := strings.ToLower(err.Error())
	for _, h := range texts {
		if strings.Contains(text, strings.ToLower(h.text)) {
			return h.hint
		}
	}
	return ""
}

// rejected makes an error of input that cannot be carried out.
func rejected(hint, format string, args ...any) error {
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf(format, args...)), hint)
}
