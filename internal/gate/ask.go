package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Ask hands a table to the gate whose directory is dir, and returns what that
// says of itself then. An empty table only asks. The gate has ten seconds. Errors
// are of the class fault.Unreachable where no gate answers, and else of the
// gate's own.
func Ask(ctx context.Context, dir string, table []byte) (Answer, error) {
	return AskSettled(ctx, dir, table, 0)
}

// AskSettled is Ask, and has the gate answer when nothing is unsettled (see
// Answer.Unsettled), at the latest after wait, or eight seconds.
func AskSettled(ctx context.Context, dir string, table []byte, wait time.Duration) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeLimit)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, socketFile))
	if err != nil {
		err = fault.As(fault.Unreachable, fmt.Errorf("ask the gate: %w", err))
		return Answer{}, fault.Hint(err, "see whether the gate's container runs, and what it logged")
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r, err := converse(conn.(*net.UnixConn), append([]byte(wait.String()+"\n"), table...))
	if err != nil {
		return Answer{}, fault.As(fault.Unreachable, fmt.Errorf("ask the gate: %w", err))
	}
	if r.Answer == nil {
		return Answer{}, fault.Hint(fault.As(r.Class, errors.New(r.Error)), r.Hint)
	}
	return *r.Answer, nil
}

func converse(conn *net.UnixConn, question []byte) (reply, error) {
	// A gate that has seen enough answers before it has read everything.
	_, sent := conn.Write(question)
	sent = errors.Join(sent, conn.CloseWrite())
	raw, err := io.ReadAll(conn)
	if len(raw) == 0 {
		return reply{}, errors.Join(sent, err, io.ErrUnexpectedEOF)
	}
	var r reply
	if err := json.Unmarshal(raw, &r); err != nil {
		return reply{}, fmt.Errorf("read its answer: %w", err)
	}
	return r, nil
}
