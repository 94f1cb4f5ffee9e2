package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const (
	hookLimit  = 10 * time.Minute // of all post_start hooks of a container
	hookOutput = 64 << 10         // bytes kept of a hook's output
	hookPoll   = 100 * time.Millisecond
)

// hookSet is the lifecycle hooks of one kind of a container.
type hookSet struct {
	kind string // post_start or pre_stop
	list []spec.Hook
	// limit is how long all of them may take.
	limit time.Duration
}

// runHooks runs lifecycle hooks in the container, one after the other, and waits
// for the end of each. Errors: Unhealthy, with the end of its output and without
// secrets, where one fails, cannot run or does not end in time; Unreachable.
func (t *Target) runHooks(ctx context.Context, id string, hooks hookSet) error {
	limited, cancel := context.WithTimeout(ctx, hooks.limit)
	defer cancel()
	for i, h := range hooks.list {
		output, code, err := t.engine.exec(limited, id, h)
		failed := hookFailure{name: fmt.Sprintf("%s hook %d", hooks.kind, i+1), hook: h, output: output}
		switch {
		case err == nil && code == 0:
			continue
		case ctx.Err() != nil:
			return fmt.Errorf("run %s: %w", failed.name, context.Cause(ctx))
		case limited.Err() != nil:
			failed.reason = fmt.Sprintf("has not ended after %s", hooks.limit)
		case err == nil:
			failed.reason = fmt.Sprintf("exit %d", code)
		default:
			if err = t.engine.classify(ctx, "run it", err); fault.Of(err) == fault.Unreachable {
				return fmt.Errorf("%s: %w", failed.name, err)
			}
			failed.reason = err.Error()
		}
		return t.hookFailed(ctx, id, failed)
	}
	return nil
}

// hookFailure is how one hook ended.
type hookFailure struct {
	name           string
	hook           spec.Hook
	reason, output string
}

// hookFailed says why a hook failed and how its output ended, without the
// container's secrets, and without the command line.
func (t *Target) hookFailed(ctx context.Context, id string, f hookFailure) error {
	in, err := t.engine.inspect(ctx, id)
	if err != nil && !gone(err) {
		return err
	}
	secrets, err := hookSecrets(f.hook)
	if err != nil {
		return err
	}
	if in.Config != nil {
		slot, _ := slotOf(in.Config.Labels)
		secrets = append(secrets, t.secretsOf(slot, in)...)
	}
	conceal := resource.Concealer(secrets)
	text := f.name + ": " + resource.Harmless(conceal.Replace(f.reason), longestReason)
	if said := ending(conceal.Replace(f.output), longestReason); said != "" {
		text += ": " + said
	}
	return fault.As(fault.Unhealthy, errors.New(text))
}

// ending returns the last bytes of a text, harmless.
func ending(text string, limit int) string {
	text = strings.TrimSpace(text)
	if over := len(text) - limit; over > 0 {
		text = "…" + text[over:]
	}
	return resource.Harmless(text, limit+len("…"))
}

// hookSecrets are those that only the hook has.
func hookSecrets(h spec.Hook) ([]string, error) {
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("look for a hook's secrets: %w", err)
	}
	return drift.Secrets(raw, nil), nil
}

// exec runs one hook to its end.
func (e *Engine) exec(ctx context.Context, id string, h spec.Hook) (output string, code int, err error) {
	options := container.ExecOptions{
		User: h.User, Privileged: h.Privileged, WorkingDir: h.WorkingDir, Cmd: h.Command, AttachStdout: true, AttachStderr: true,
	}
	for _, key := range slices.Sorted(maps.Keys(h.Environment)) {
		options.Env = append(options.Env, key+"="+h.Environment[key])
	}
	made, err := e.api.ContainerExecCreate(ctx, id, options)
	if err != nil {
		return "", 0, err
	}
	if output, err = e.attach(ctx, made.ID); err != nil {
		return output, 0, err
	}
	code, err = e.exitCode(ctx, made.ID)
	return output, code, err
}

// exitCode waits for the end of what may have closed its output earlier.
func (e *Engine) exitCode(ctx context.Context, exec string) (int, error) {
	tick := time.NewTicker(hookPoll)
	defer tick.Stop()
	for {
		result, err := e.api.ContainerExecInspect(ctx, exec)
		if err != nil || !result.Running {
			return result.ExitCode, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
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

// Write implements io.Writer. It never fails.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.buffer.Write(p)
	if over := t.buffer.Len() - t.limit; over > 0 {
		t.buffer.Next(over)
	}
	return n, err
}
