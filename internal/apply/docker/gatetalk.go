package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/gate"
)

// tablePath is where a gate keeps its table.
const tablePath = gateDir + "/" + gate.TableFile

// maxAnswer bounds what is read of a gate.
const maxAnswer = 4 << 20

// readTable returns the table that a gate has, running or not; an empty one
// where it has none.
func (e *Engine) readTable(ctx context.Context, id string) (gate.Table, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	stream, _, err := e.api.CopyFromContainer(limited, id, tablePath)
	if cerrdefs.IsNotFound(err) {
		return gate.Table{}, nil
	}
	if err != nil {
		return gate.Table{}, e.classify(ctx, "read the table of gate "+short(id), err)
	}
	defer stream.Close()
	files := tar.NewReader(stream)
	if _, err := files.Next(); err != nil {
		return gate.Table{}, e.classify(ctx, "read the table of gate "+short(id), err)
	}
	raw, err := io.ReadAll(io.LimitReader(files, maxAnswer))
	if err != nil {
		return gate.Table{}, e.classify(ctx, "read the table of gate "+short(id), err)
	}
	table, err := gate.Decode(raw)
	if err != nil { // damaged by hand: it is written anew
		return gate.Table{}, nil
	}
	return table, nil
}

// writeTable puts the table into a gate that does not run.
func (e *Engine) writeTable(ctx context.Context, id string, table gate.Table) error {
	raw, err := table.Encode()
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	files := tar.NewWriter(&archive)
	dir := strings.TrimPrefix(gateDir, "/") + "/" // an image of somebody else's making may lack it
	err = errors.Join(
		files.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o700, Uid: gateUID, Gid: gateUID}),
		files.WriteHeader(&tar.Header{Name: dir + gate.TableFile, Mode: 0o600, Size: int64(len(raw)), Uid: gateUID, Gid: gateUID}),
		wrote(files.Write(raw)), files.Close())
	if err != nil {
		return fmt.Errorf("pack the gate's table: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.CopyToContainer(limited, id, "/", &archive, container.CopyToContainerOptions{}); err != nil {
		return e.classify(ctx, "write the table of gate "+short(id), err)
	}
	return nil
}

func wrote(_ int, err error) error { return err }

// gateWait is how long a gate may wait with its answer until it is settled. Each
// question costs the engine tens of milliseconds of processor time, so that few
// are asked; but a look that takes a second or more stretches an await's clock.
const gateWait = 750 * time.Millisecond

// awaitGate asks a running gate, which answers when it is settled, or after
// gateWait. One of before that was possible answers at once.
func (e *Engine) awaitGate(ctx context.Context, id string) (gate.Answer, error) {
	a, err := e.askGate(ctx, id, nil, "-wait", gateWait.String())
	if err != nil && strings.Contains(err.Error(), "flag provided but not defined: -wait") {
		return e.askGate(ctx, id, nil)
	}
	return a, err
}

// askGate hands a table to a running gate, or nothing, and returns its answer.
func (e *Engine) askGate(ctx context.Context, id string, table []byte, flags ...string) (gate.Answer, error) {
	doing := "talk to gate " + short(id)
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	made, err := e.api.ContainerExecCreate(limited, id, container.ExecOptions{
		Cmd: append([]string{gateProgram, "table", "-dir", gateDir}, flags...), AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return gate.Answer{}, e.classify(ctx, doing, err)
	}
	out, said, err := e.converse(limited, made.ID, table)
	if err != nil {
		return gate.Answer{}, e.classify(ctx, doing, err)
	}
	ended, err := e.api.ContainerExecInspect(limited, made.ID)
	if err != nil {
		return gate.Answer{}, e.classify(ctx, doing, err)
	}
	if ended.ExitCode != 0 {
		return gate.Answer{}, fault.As(fault.Unreachable, fmt.Errorf("%s: exit %d: %s", doing, ended.ExitCode, said))
	}
	var a gate.Answer
	if err := json.Unmarshal(out, &a); err != nil {
		return a, fault.As(fault.Unreachable, fmt.Errorf("%s: read its answer: %w", doing, err))
	}
	return a, nil
}

// tell has a running gate go by a table.
func (e *Engine) tell(ctx context.Context, id string, table gate.Table) error {
	raw, err := table.Encode()
	if err != nil {
		return err
	}
	_, err = e.askGate(ctx, id, raw)
	return err
}

// converse sends input to an exec and reads what it prints, until it ends.
func (e *Engine) converse(ctx context.Context, exec string, input []byte) (out []byte, said string, err error) {
	stream, err := e.api.ContainerExecAttach(ctx, exec, container.ExecAttachOptions{})
	if err != nil {
		return nil, "", err
	}
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	defer stream.Close()
	if _, err := stream.Conn.Write(input); err != nil {
		return nil, "", err
	}
	if err := stream.CloseWrite(); err != nil {
		return nil, "", err
	}
	var stdout, stderr bytes.Buffer
	if _, err := stdcopy.StdCopy(&stdout, &stderr, io.LimitReader(stream.Reader, maxAnswer)); err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	return stdout.Bytes(), stderr.String(), ctx.Err()
}
