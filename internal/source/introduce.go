package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// acceptNew is the word of repo.auth.knownHosts for trusting whoever answers first.
const acceptNew = "accept-new"

// IntroduceRequest asks the child who answers at an SSH server.
type IntroduceRequest struct {
	Remote remote.Spec `json:"remote"`
}

// IntroduceAnswer is a line for a known_hosts file; empty where the host is known.
type IntroduceAnswer struct {
	Line string `json:"line,omitempty"`
}

// introduce adds the hosts to s that were met before, and, where the server's is not
// among them, has its key asked for and kept: from then on it is as strict as with a
// file that a person wrote. It happens once in a process.
func (o *origin) introduce(ctx context.Context, s *remote.Spec) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := o.opts.KnownHosts
	if path == "" {
		return fault.As(fault.Blocked, errors.New("there is no place to keep the keys of hosts that are met"))
	}
	known, err := metBefore(path)
	if err != nil {
		return err
	}
	s.KnownHosts = lines(s.KnownHosts, known)
	if o.met {
		return nil
	}
	var answer IntroduceAnswer
	if err := o.opts.Child.Call(ctx, "introduce", IntroduceRequest{Remote: *s}, &answer, o.bounds(o.opts.Timeout, "repo.timeout")); err != nil {
		return err
	}
	if answer.Line != "" {
		if known, err = o.opts.meeting.keep(path, answer.Line); err != nil {
			return err
		}
		s.KnownHosts = lines(s.KnownHosts, known)
	}
	o.met = true
	return nil
}

// meeting is held by who writes the file of met hosts: remotes share it.
type meeting struct{ mu sync.Mutex }

// keep adds a line to the file at path, whole or not at all, and returns the file.
func (m *meeting) keep(path, line string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if strings.ContainsAny(line, "\r\n") || strings.HasPrefix(line, "@") || strings.HasPrefix(line, "#") {
		return "", fault.As(fault.Unreachable, errors.New("the host's key cannot be kept: it is no line of a known_hosts file"))
	}
	known, err := metBefore(path)
	if err != nil {
		return "", err
	}
	known = lines(known, line)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make a directory for %s: %w", path, err)
	}
	if err := durable.Replace(path, []byte(known)); err != nil {
		return "", fault.As(fault.Blocked, fmt.Errorf("keep the key of a host: %w", err))
	}
	return known, nil
}

// metBefore are the hosts that were met; none where the file is not there.
func metBefore(path string) (string, error) {
	known, err := secret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the hosts that were met: %w", err)), "see what has become of that file; removing it makes the next key that a host shows the trusted one")
	}
	return known, nil
}

// lines joins texts of lines, each ended.
func lines(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		if text == "" {
			continue
		}
		b.WriteString(strings.TrimRight(text, "\n") + "\n")
	}
	return b.String()
}
