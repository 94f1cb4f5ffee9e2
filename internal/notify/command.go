package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// farewell is for how long a command that was killed is waited for.
const farewell = time.Second

// command is a program on this host: it gets the message as JSON on its standard
// input and an empty environment. Exit code 0 is that it was told.
type command struct{ conf config.Channel }

// send implements channel. With the deadline, the program ends with all that it
// started and that stayed in its process group.
func (c *command) send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fault.As(fault.Rejected, err)
	}
	var said tail
	cmd := exec.CommandContext(ctx, c.conf.Command[0], c.conf.Command[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = []string{}, "/", bytes.NewReader(body), &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = farewell
	err = cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = errors.New("it did not end in its time, and was killed")
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well, and left somebody behind
	}
	if err == nil {
		return nil
	}
	text := resource.Harmless(said.String(), refusalBound)
	if text != "" {
		text = ": " + text
	}
	return fault.As(fault.Unreachable, fmt.Errorf("run %s: %w%s", c.conf.Command[0], err, text))
}

// tail keeps the first of what a program says, and lets it say the rest.
type tail struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	if room := refusalBound - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
