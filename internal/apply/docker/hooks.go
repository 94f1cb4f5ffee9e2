package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const (
	hookLimit  = 10 * time.Minute
	hookOutput = 64 << 10 // bytes kept of a hook's output
)

// runHook runs a lifecycle hook in the container and waits for its end. Errors:
// Unhealthy with the end of its output where it did not exit 0.
func (e *Engine) runHook(ctx context.Context, id string, h spec.Hook) error {
	limited, cancel := context.WithTimeout(ctx, hookLimit)
	defer cancel()
	options := container.ExecOptions{
		User: h.User, Privileged: h.Privileged, WorkingDir: h.WorkingDir, Cmd: h.Command, AttachStdout: true, AttachStderr: true,
	}
	for _, key := range slices.Sorted(maps.Keys(h.Environment)) {
		options.Env = append(options.Env, key+"="+h.Environment[key])
	}
	made, err := e.api.ContainerExecCreate(limited, id, options)
	if err != nil {
		return e.classify(ctx, fmt.Sprintf("prepare %q", h.Command), err)
	}
	output, err := e.attach(limited, made.ID)
	if err != nil {
		return e.classify(ctx, fmt.Sprintf("run %q", h.Command), err)
	}
	result, err := e.api.ContainerExecInspect(limited, made.ID)
	if err != nil {
		return e.classify(ctx, fmt.Sprintf("inspect %q", h.Command), err)
	}
	if result.ExitCode != 0 {
		return fault.As(fault.Unhealthy, fmt.Errorf("%q: exit %d: %s", h.Command, result.ExitCode, resource.Harmless(output, longestReason)))
	}
	return nil
}

// attach starts the exec and reads its output until it ends or ctx does.
func (e *Engine) attach(ctx context.Context, exec string) (string, error) {
	stream, err := e.api.ContainerExecAttach(ctx, exec, container.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	defer stream.Close()
	var out bytes.Buffer
	sink := &tail{buffer: &out, limit: hookOutput}
	if _, err := stdcopy.StdCopy(sink, sink, stream.Reader); err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return out.String(), ctx.Err()
}

// tail keeps the last bytes written to it.
type tail struct {
	buffer *bytes.Buffer
	limit  int
}

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.buffer.Write(p)
	if over := t.buffer.Len() - t.limit; over > 0 {
		t.buffer.Next(over)
	}
	return n, err
}
