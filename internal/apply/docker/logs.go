package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const (
	longestLine = 4 << 10 // bytes of one line
	longestLog  = 4 << 20 // bytes of all
)

// Logs implements apply.Evidence: standard output and error, oldest first,
// without terminal escapes.
func (t *Target) Logs(ctx context.Context, key resource.Key, ref resource.Ref, lines int) ([]string, error) {
	if key.Kind != spec.KindContainer {
		return nil, nil
	}
	in, err := t.engine.inspect(ctx, ref.ID)
	if cerrdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", key, err)
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	stream, err := t.engine.api.ContainerLogs(limited, ref.ID, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines),
	})
	if err != nil {
		return nil, t.engine.classify(ctx, "read logs of "+key.String(), err)
	}
	defer stream.Close()
	text, err := readLog(stream, in.Config.Tty)
	if err != nil {
		return nil, t.engine.classify(ctx, "read logs of "+key.String(), err)
	}
	return lastLines(t.concealer(key, in).Replace(text), lines), nil
}

// readLog undoes the engine's framing of two streams; a terminal has only one.
func readLog(stream io.Reader, tty bool) (string, error) {
	var out bytes.Buffer
	sink := &tail{buffer: &out, limit: longestLog}
	var err error
	if tty {
		_, err = io.Copy(sink, stream)
	} else {
		_, err = stdcopy.StdCopy(sink, sink, stream)
	}
	return out.String(), err
}

func lastLines(text string, n int) []string {
	all := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(all) == 1 && all[0] == "" {
		return nil
	}
	all = all[max(0, len(all)-n):]
	for i, line := range all {
		all[i] = resource.Harmless(line, longestLine)
	}
	return all
}
