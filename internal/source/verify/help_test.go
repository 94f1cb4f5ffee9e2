package verify_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

// committed is when every commit of these tests was made.
const committed = 1700000000

// now is when they are looked at.
func now() time.Time { return time.Unix(committed, 0).Add(24 * time.Hour) }

// needs fails the test where a program is missing that hack/programs.sh installs.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs git, ssh-keygen and gpg")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is not installed: run hack/programs.sh", p)
		}
	}
}

// place is a repository, the keys of somebody, and where gpg keeps its own.
type place struct {
	t         testing.TB
	dir, home string
	env       []string
}

func newPlace(t testing.TB) *place {
	t.Helper()
	needs(t, "git", "ssh-keygen", "gpg")
	home, err := os.MkdirTemp("", "syncdtest-") // short: gpg's agent has a socket there
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: t.TempDir(), home: home, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GNUPGHOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "TZ=UTC",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", committed),
		"GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.com", fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", committed),
	}}
	t.Cleanup(func() {
		p.run("", "gpgconf", "--kill", "gpg-agent")
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	p.run("", "git", "init", "-q", "-b", "main")
	return p
}

// run returns a program's output as it is.
func (p *place) run(stdin string, name string, args ...string) string {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = p.dir, p.env, strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		p.t.Fatalf("%s %q: %v", name, args, err)
	}
	return string(out)
}

func (p *place) write(name, content string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func (p *place) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// key makes an SSH key NAME, and returns its public half.
func (p *place) key(name string, args ...string) string {
	p.t.Helper()
	if len(args) == 0 {
		args = []string{"-t", "ed25519"}
	}
	p.run("", "ssh-keygen", append([]string{"-q", "-N", "", "-C", name, "-f", name}, args...)...)
	return strings.TrimSpace(p.read(name + ".pub"))
}

// fingerprint is the key's as ssh-keygen says it.
func (p *place) fingerprint(name string) string {
	p.t.Helper()
	return strings.Fields(p.run("", "ssh-keygen", "-l", "-f", name+".pub"))[1]
}

// commit makes one with git, signed with an SSH key, an OpenPGP key ("gpg:ID") or
// nobody's, and returns its bytes.
func (p *place) commit(signer string) []byte {
	p.t.Helper()
	p.run("", "git", append(signing(signer), "commit", "-q", "--allow-empty", "-m", "a commit\n\nand its story", signFlag(signer))...)
	return []byte(p.run("", "git", "cat-file", "commit", "HEAD"))
}

// tag makes an annotated one with git, and returns its bytes.
func (p *place) tag(signer, name string) []byte {
	p.t.Helper()
	args := append(signing(signer), "tag", "-a", "-m", "a release", name)
	if signer != "" {
		args = append(signing(signer), "tag", "-s", "-m", "a release", name)
	}
	p.run("", "git", args...)
	return []byte(p.run("", "git", "cat-file", "tag", name))
}

func signing(signer string) []string {
	if id, ok := strings.CutPrefix(signer, "gpg:"); ok {
		return []string{"-c", "gpg.format=openpgp", "-c", "user.signingkey=" + id}
	}
	return []string{"-c", "gpg.format=ssh", "-c", "user.signingkey=" + signer}
}

func signFlag(signer string) string {
	if signer == "" {
		return "--no-gpg-sign"
	}
	return "-S"
}

// plain are the bytes of a commit that nobody signed yet.
func plain() string {
	return fmt.Sprintf("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ann <ann@example.com> %d +0000\ncommitter Bob <bob@example.com> %d +0000\n\na commit\n", committed, committed)
}

// signed puts a signature into a commit's bytes, as git does.
func signed(payload, armour string) []byte {
	head, message, _ := strings.Cut(payload, "\n\n")
	return []byte(head + "\ngpgsig " + strings.ReplaceAll(strings.TrimSuffix(armour, "\n"), "\n", "\n ") + "\n\n" + message)
}

// bySSH signs bytes with ssh-keygen.
func (p *place) bySSH(key, namespace, payload string) string {
	p.t.Helper()
	return p.run(payload, "ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key)
}

// byGPG signs bytes with gpg.
func (p *place) byGPG(key, payload string, args ...string) string {
	p.t.Helper()
	return p.run(payload, "gpg", append([]string{"--batch", "--yes", "--armor", "--detach-sign", "--local-user", key}, args...)...)
}

// person makes an OpenPGP key at a time, and returns its fingerprint.
func (p *place) person(name, kind, usage, when string, more ...string) string {
	p.t.Helper()
	args := append([]string{"--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--faked-system-time", when + "!"}, more...)
	p.run("", "gpg", append(args, "--quick-gen-key", name, kind, usage, "never")...)
	for line := range strings.Lines(p.run("", "gpg", "--list-keys", "--with-colons", name)) {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	p.t.Fatalf("gpg lists no key of %s", name)
	return ""
}

func (p *place) ring(names ...string) verify.Ring {
	p.t.Helper()
	return parseRing(p.t, p.run("", "gpg", append([]string{"--armor", "--export"}, names...)...))
}

func parseRing(t testing.TB, text string) verify.Ring {
	t.Helper()
	r, err := verify.ParseRing("/etc/keys.asc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func allow(t testing.TB, lines ...string) verify.Keys {
	t.Helper()
	s, err := verify.ParseSigners("/etc/allowed", []byte(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return verify.Keys{Signers: s}
}

func revoke(t testing.TB, k verify.Keys, data string) verify.Keys {
	t.Helper()
	r, err := verify.ParseRevoked("/etc/revoked", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	k.Revoked = r
	return k
}

func name(kind plumbing.ObjectType, raw []byte) string {
	return plumbing.ComputeHash(kind, raw).String()
}

// judge parses and verifies a commit's bytes.
func judge(k verify.Keys, raw []byte) (verify.Signer, error) {
	o, err := verify.ParseCommit(name(plumbing.CommitObject, raw), raw)
	if err != nil {
		return verify.Signer{}, err
	}
	return k.Verify(o, now())
}

func judgeTag(k verify.Keys, raw []byte) (verify.Signer, error) {
	o, err := verify.ParseTag(name(plumbing.TagObject, raw), raw)
	if err != nil {
		return verify.Signer{}, err
	}
	return k.Verify(o, now())
}

// good wants a signer.
func good(t testing.TB, what string, got verify.Signer, err error, want verify.Signer) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: got %+v, %v\nwant %+v", what, got, err, want)
	}
}

// bad wants an error that names the object and says why, with a hint.
func bad(t testing.TB, what string, err error, words ...string) {
	t.Helper()
	if err == nil || fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
		t.Errorf("%s: got %v (%v, hint %q), want rejected with a hint", what, err, fault.Of(err), fault.Advice(err))
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: got %q, want %q in it", what, err, w)
		}
	}
}

// change replaces the first of what stands in bytes.
func change(t testing.TB, raw []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(raw, []byte(from)) {
		t.Fatalf("%q is not in\n%s", from, raw)
	}
	return bytes.Replace(raw, []byte(from), []byte(to), 1)
}
