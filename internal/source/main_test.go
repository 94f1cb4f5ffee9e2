package source_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

// childPath is the program that TestMain builds, without the race detector:
// its memory would count against the child's limit.
var childPath string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	if dir := os.Getenv(serveVariable); dir != "" {
		return serveElsewhere(dir)
	}
	dir, err := os.MkdirTemp("", "syncdtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	childPath = filepath.Join(dir, sandbox.Program)
	if out, err := exec.Command("go", "build", "-o", childPath, "./testdata/child").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func child(t testing.TB) sandbox.Child {
	t.Helper()
	return sandbox.Child{Path: childPath}
}

// repo is a repository that the git program made.
type repo struct {
	t   testing.TB
	dir string
}

func newRepo(t testing.TB) *repo {
	t.Helper()
	r := &repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	return r
}

// git runs the git program, without the user's configuration.
func (r *repo) git(args ...string) string { return r.gitIn("", args...) }

func (r *repo) gitIn(stdin string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = r.dir, strings.NewReader(stdin)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.com", "GIT_COMMITTER_DATE=1700000060 +0000",
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		r.t.Fatalf("git %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) write(path, content string) {
	r.t.Helper()
	file := filepath.Join(r.dir, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit takes all files and returns the new commit.
func (r *repo) commit(message string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// blob, tree and tip build a commit of what the git program would not add.
func (r *repo) blob(content string) string {
	return r.gitIn(content, "hash-object", "-w", "--stdin")
}

// tree writes a tree object from raw "MODE NAME HASH" lines, checked by nobody.
func (r *repo) tree(lines ...[3]string) string {
	r.t.Helper()
	var raw strings.Builder
	for _, l := range lines {
		raw.WriteString(l[0] + " " + l[1] + "\x00" + unhex(r.t, l[2]))
	}
	return r.gitIn(raw.String(), "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
}

func unhex(t testing.TB, s string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i+1 < len(s); i += 2 {
		hi, lo := strings.IndexByte("0123456789abcdef", s[i]), strings.IndexByte("0123456789abcdef", s[i+1])
		if hi < 0 || lo < 0 {
			t.Fatalf("%q is not hexadecimal", s)
		}
		b.WriteByte(byte(hi<<4 | lo))
	}
	return b.String()
}

func (r *repo) tip(tree string) string {
	c := r.git("commit-tree", "-m", "made by hand", tree)
	r.git("update-ref", "refs/heads/main", c)
	return c
}

// follow opens the repository at url with a cache of its own.
func follow(t testing.TB, url string, change ...func(*source.Options)) *source.Repository {
	t.Helper()
	o := source.Options{URL: url, Ref: config.Ref{Branch: "main"}, Dir: filepath.Join(t.TempDir(), "cache"), Child: child(t)}
	o.Limits.FetchTime = config.Duration(time.Minute)
	for _, f := range change {
		f(&o)
	}
	r, err := source.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// load resolves and loads.
func load(t testing.TB, r *source.Repository) source.Snapshot {
	t.Helper()
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Load(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantFault checks class, text and hint of an error.
func wantFault(t testing.TB, err error, class fault.Class, text, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q (%v)", text, class)
	}
	if fault.Of(err) != class || !strings.Contains(err.Error(), text) || !strings.Contains(fault.Advice(err), hint) {
		t.Errorf("got %q (%v, hint %q)\nwant %q (%v, hint %q)", err, fault.Of(err), fault.Advice(err), text, class, hint)
	}
}

func files(s source.Snapshot) string {
	var b strings.Builder
	for _, f := range s.Files {
		b.WriteString(f.Path)
		if f.Refused != "" {
			b.WriteString(" (refused: " + f.Refused + ")")
		}
		b.WriteString("\n")
	}
	return b.String()
}
