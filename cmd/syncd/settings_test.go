package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/server"
)

func withLogin() config.Host {
	return config.Host{
		State: "/var/lib/syncd", Socket: "/run/x.sock", Docker: "tcp://a:1",
		Repo: config.Repo{URL: "https://git.example.org/a.git", Ref: config.Ref{Tag: "v1"}, Auth: config.Auth{PasswordFile: "/etc/token"}},
	}
}

func TestALoginIsNeverSentToAnotherRepository(t *testing.T) {
	h := withLogin()
	if err := (&flags{repo: "https://evil.example.org/a.git"}).overlay(&h); err != nil {
		t.Fatal(err)
	}
	if h.Repo.Auth != (config.Auth{}) {
		t.Errorf("the login goes along: %+v", h.Repo)
	}
	h = withLogin()
	if err := (&flags{repo: h.Repo.URL}).overlay(&h); err != nil || h.Repo.Auth.PasswordFile == "" {
		t.Errorf("the repository's own login is lost: %+v, %v", h.Repo, err)
	}
}

func TestFlagsWinOverTheFile(t *testing.T) {
	h := withLogin()
	if err := (&flags{branch: "next", path: "hosts/a/", docker: "unix:///x", socket: "/y.sock"}).overlay(&h); err != nil {
		t.Fatal(err)
	}
	if h.Repo.Ref != (config.Ref{Branch: "next"}) || h.Repo.Path != "hosts/a" || h.Docker != "unix:///x" || h.Socket != "/y.sock" || h.State != "/var/lib/syncd" {
		t.Errorf("got %+v", h)
	}
}

// TestAStateDirectoryOfItsOwnHasASocketOfItsOwn: a command with --state must not
// reach the agent of the configuration file's directory.
func TestAStateDirectoryOfItsOwnHasASocketOfItsOwn(t *testing.T) {
	for _, tt := range []struct{ state, socket, want string }{
		{"/tmp/other", "", "/tmp/other/syncd.sock"},
		{"/var/lib/syncd", "", "/run/x.sock"},
		{"/tmp/other", "/z.sock", "/z.sock"},
		{"", "", "/run/x.sock"},
	} {
		h := withLogin()
		if err := (&flags{state: tt.state, socket: tt.socket}).overlay(&h); err != nil || h.Socket != tt.want {
			t.Errorf("--state %q --socket %q: the socket is %s, %v; want %s", tt.state, tt.socket, h.Socket, err, tt.want)
		}
	}
}

func TestARelativeRepositoryBecomesAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("repo", 0o755); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"repo": filepath.Join(here, "repo"), "./repo": filepath.Join(here, "repo"),
		"https://git.example.org/repo": "https://git.example.org/repo", "git@git.example.org:repo": "git@git.example.org:repo",
	} {
		if got, err := repoURL(in); err != nil || got != want {
			t.Errorf("%s becomes %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestOnlyTheAgentThatIsMeantIsTalkedTo(t *testing.T) {
	about := server.About{Repo: "https://git.example.org/a.git", Path: "hosts/a", Ref: "main"}
	for _, tt := range []struct {
		flags flags
		want  string // a part of the error; empty for none
	}{
		{flags{}, ""},
		{flags{state: "/x", socket: "/y"}, ""},
		{flags{repo: "https://git.example.org/a.git", path: "hosts/a", branch: "main"}, ""},
		{flags{repo: "https://git.example.org/b.git"}, "--repo"},
		{flags{path: "hosts/b"}, "--path"},
		{flags{tag: "v1"}, "--branch, --tag or --commit"},
	} {
		var h config.Host
		if err := tt.flags.overlay(&h); err != nil {
			t.Fatal(err)
		}
		err := tt.flags.fits(h, about)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.flags, err, tt.want)
		}
	}
}
