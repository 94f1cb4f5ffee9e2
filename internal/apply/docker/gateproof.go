package docker

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// proveGate runs a gate's program once, beside all gates: what cannot run here
// is found out while nothing is stopped for it.
func (e *Engine) proveGate(ctx context.Context, project, image string) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	config := &container.Config{Image: image, User: gateUser, Cmd: []string{"version"}, Labels: map[string]string{labelCheck: project}}
	host := &container.HostConfig{NetworkMode: "none", CapDrop: []string{"ALL"}, LogConfig: container.LogConfig{Type: "json-file"}}
	made, err := e.api.ContainerCreate(ctx, config, host, nil, nil, "")
	if err != nil {
		return e.classify(ctx, "try the gate's program", err)
	}
	defer func() { _ = e.discard(ctx, made.ID) }() // it holds nothing
	ended, failed := e.api.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := e.start(ctx, made.ID); err != nil {
		cancel() // nobody hears any more how it ends
		return err
	}
	select {
	case err := <-failed:
		return e.classify(ctx, "try the gate's program", err)
	case end := <-ended:
		if said := e.lastLine(ctx, made.ID); end.StatusCode != 0 || !strings.HasPrefix(said, "syncd-gate ") {
			return rejected("see whether syncd-gate was installed as a whole", "the program of %s is no gate's: it ended with exit code %d, saying %q", image, end.StatusCode, said)
		}
	}
	return nil
}

// lastLine is what a container of one line printed; empty where it cannot be read.
func (e *Engine) lastLine(ctx context.Context, id string) string {
	stream, err := e.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "1"})
	if err != nil {
		return ""
	}
	defer stream.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, io.LimitReader(stream, 1<<10)); err != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}
