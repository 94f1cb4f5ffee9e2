package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/server"
)

// TestMain lets the test binary be syncd itself where a script runs it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"syncd": main})
}

// TestScripts holds what the command line promises: texts, exit codes, hints.
// They need no engine. testdata/script is one file per verb.
func TestScripts(t *testing.T) {
	renderer := buildRenderer(t)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:         func(env *testscript.Env) error { return prepare(env, renderer) },
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"agent": runFake, "exit": exitCmd},
	})
}

// TestStory runs the verbs on a real engine and a real repository.
func TestStory(t *testing.T) { story(t, "testdata/story") }

// TestMirrorsStory is about a repository that is had from two places.
func TestMirrorsStory(t *testing.T) { story(t, "testdata/mirrors") }

// TestSignedStory does the same where signatures are asked for.
func TestSignedStory(t *testing.T) { story(t, "testdata/signed") }

func story(t *testing.T, dir string) {
	t.Helper()
	image, project := dockertest.Image(t, "v1"), dockertest.Project(t)
	renderer := buildRenderer(t)
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("IMAGE", image)
			env.Setenv("PROJECT", project)
			return prepare(env, renderer)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exit": exitCmd, "replace": replaceCmd, "until": untilCmd},
	})
}

// buildRenderer compiles the child that syncd starts, without the race detector:
// it bounds its own memory.
func buildRenderer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+"/", "syncd.io/syncd/cmd/syncd-render")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build syncd-render: %v\n%s", err, out)
	}
	return dir
}

// prepare gives a script a socket of its own, whose path is short enough.
func prepare(env *testscript.Env, renderer string) error {
	dir, err := os.MkdirTemp("", "syncdtest-")
	if err != nil {
		return err
	}
	env.Defer(func() { _ = os.RemoveAll(dir) })
	env.Setenv("SOCK", filepath.Join(dir, "s.sock"))
	env.Setenv("PATH", env.Getenv("PATH")+string(os.PathListSeparator)+renderer)
	env.Setenv("NO_COLOR", "1")
	env.Setenv("TZ", "UTC")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
	env.Setenv("GORACE", "atexit_sleep_ms=10") // each syncd would sleep for a second as it ends well
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		env.Setenv("GIT_"+who+"_NAME", "Ann")
		env.Setenv("GIT_"+who+"_EMAIL", "ann@example.org")
	}
	return nil
}

// runFake is the script command "agent": from here to the script's end an agent
// answers at $SOCK with the JSON files in the script's directory.
func runFake(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: agent")
	}
	f := &fake{dir: ts.MkAbs(".")}
	socket := ts.Getenv("SOCK")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	about := server.About{Version: "v1", Repo: "https://git.example.org/deploy.git", State: "/var/lib/syncd"}
	go func() { ended <- server.Serve(ctx, server.Options{Socket: socket, About: about}, f, f) }()
	ts.Defer(func() {
		cancel()
		ts.Check(<-ended)
	})
	ts.Check(eventually(func() error {
		_, err := server.Client{Socket: socket}.About(ctx)
		return err
	}))
}

// exitCmd is "exit CODE PROGRAM ARGS...": the program has to end with this code.
// stdout and stderr look at its output as after exec.
func exitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE PROGRAM [ARGS...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // testscript returns it as it is
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// replaceCmd is "replace OLD NEW FILE".
func replaceCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	path := ts.MkAbs(args[2])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(data, []byte(args[0])) {
		ts.Fatalf("%s holds no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(args[0]), []byte(args[1])), 0o644))
}

// untilCmd is "until REGEXP PROGRAM ARGS...": again and again, until its output
// matches.
func untilCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM [ARGS...]")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	ts.Check(eventually(func() error {
		err := ts.Exec(args[1], args[2:]...)
		if out := ts.ReadFile("stdout"); !want.MatchString(out) {
			return fmt.Errorf("no match for %q in %q (%w)", want, out, err)
		}
		return nil
	}))
}

// eventually tries until it works, or until it has taken too long.
func eventually(try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-late:
			return err
		}
	}
}
