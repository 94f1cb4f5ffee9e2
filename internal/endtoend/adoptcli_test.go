package endtoend_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shell is a person at the command line, with a configuration file.
type shell struct {
	*host
	config string
}

func (h *host) shell(envFile string) shell {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "syncd.yaml")
	text := fmt.Sprintf("repo: {url: %s}\nstate: %s\nsocket: %s\nhost: {envFiles: [%s]}\n", h.repo, h.state, filepath.Join(h.state, "syncd.sock"), envFile)
	h.must(os.WriteFile(file, []byte(text), 0o600))
	return shell{h, file}
}

// types runs a verb and answers its question. It fails the test unless the verb
// ends with this code, and returns what was printed.
func (s shell) types(answer string, code int, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), passLimit)
	defer cancel()
	cmd := s.syncd(ctx)
	cmd.Args = append([]string{cmd.Path}, append(args, "--config", s.config)...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(answer), &out, &out
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		s.t.Fatalf("syncd %s ended with %v, want %d\n%s", strings.Join(args, " "), err, code, out.String())
	}
	return out.String()
}

// says fails the test unless a text has all of these parts.
func (s shell) says(text string, parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
}

// From Compose to syncd and back, at the command line: the project's owner sees
// what would happen before it does, and nothing restarts on the way there, on the
// way back, or when Compose looks at it again.
func TestAdoptAndReleaseAtTheCommandLine(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(composed, "PORT", freePort(t), 1)
	dir, run := h.composeUp(compose)
	h.write("page.txt", "one")
	h.deploy(compose)
	s := h.shell(filepath.Join(dir, ".env"))
	was := h.ids("web", "db")

	h.untouched(func() {
		s.says(s.types("", 5, "sync"), "blocked", "syncd adopt "+h.project)
		for _, answer := range []string{"", "\n", "no\n", "y\n"} {
			s.says(s.types(answer, 0, "adopt", h.project),
				" 0 would be replaced", "adopt "+h.project+"? Type yes to go on:", "nothing was done", "--yes")
		}
		s.says(s.types("yes\n", 0, "adopt", h.project, "-o", "json"), " 0 would be replaced") // nobody is asked there
		s.says(s.types("", 5, "status"), "Blocked")
	})
	touched := touched(h.journal(func() {
		s.says(s.types("", 0, "adopt", h.project, "--yes"), " 0 would be replaced", "adopted 2 containers")
	}))
	for _, line := range touched {
		if !strings.HasPrefix(line, "container rename ") { // docker-compose wrote shop_web_1
			t.Errorf("it was touched: %s", line)
		}
	}
	h.untouched(func() {
		s.says(s.types("", 0, "status"), "Synced", "Healthy")
		s.says(s.types("", 0, "sync"), "unchanged")
		s.says(s.types("", 0, "release", h.project), "nothing is stopped", "release "+h.project+"? Type yes to go on:", "nothing was done")
		s.says(s.types("", 0, "status"), "Synced")
		s.types("", 0, "release", h.project, "--yes")
		s.says(s.types("", 5, "sync"), "paused", "syncd adopt "+h.project)
	})
	if h.ids("web", "db") != was {
		t.Fatalf("something was restarted:\n%s\nbefore:\n%s", h.ids("web", "db"), was)
	}
	run("up", "-d")
	if h.ids("web", "db") != was {
		t.Fatal("Compose recreated something")
	}
	s.says(s.types("yes\n", 0, "adopt", h.project), "0 would be replaced") // and there again
	s.says(s.types("", 0, "history", h.project), "adopt", "release")
	if h.ids("web", "db") != was {
		t.Error("something was restarted by the second adoption")
	}
}
