package source_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The large repository: of each app ten files, most commits change one of them. Every
// fortieth brings a mebibyte that does not compress, which the next one removes.
const (
	largeApps    = 1000
	largeFiles   = 10
	largeCommits = 20000
	largeEvery   = 40
	largeVersion = "3" // of what is made; an older one in the cache is not used
)

// large is the large repository, a bare one outside the project. It is made once, in
// half a minute, and then copied: hard links, as objects never change.
func large(b *testing.B) *repo {
	b.Helper()
	made := filepath.Join(os.TempDir(), "syncd-bench-large-"+largeVersion)
	if _, err := os.Stat(made); err != nil {
		temp := &repo{b, made + fmt.Sprint("-", os.Getpid())}
		if err := errors.Join(os.MkdirAll(temp.dir, 0o755), makeLarge(temp), os.Rename(temp.dir, made)); err != nil {
			b.Fatal(errors.Join(err, os.RemoveAll(temp.dir)))
		}
	}
	g := &repo{b, b.TempDir()}
	g.git("clone", "-q", "--bare", made, ".git")
	return g
}

func makeLarge(g *repo) error {
	g.git("init", "-q", "--bare", "-b", "main")
	in, out := io.Pipe()
	written := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(out, 1<<20)
		err := writeHistory(w)
		written <- errors.Join(err, w.Flush(), out.Close())
	}()
	cmd := exec.Command("git", "-c", "core.compression=1", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = g.dir, in
	text, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("git fast-import: %w: %s", err, text)
	}
	return errors.Join(err, in.CloseWithError(err), <-written)
}

// writeHistory writes all commits as git fast-import reads them.
func writeHistory(w io.Writer) error {
	rng := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 1<<20)
	for i := range largeCommits {
		if err := commitHead(w, i); err != nil {
			return err
		}
		if i == 0 {
			for n := range largeApps * largeFiles {
				if err := putFile(w, n, 0); err != nil {
					return err
				}
			}
		} else if err := putFile(w, rng.IntN(largeApps*largeFiles), i); err != nil {
			return err
		}
		var err error
		switch i % largeEvery {
		case largeEvery - 2:
			for at := 0; at < len(noise); at += 8 {
				putUint64(noise[at:], rng.Uint64())
			}
			_, err = fmt.Fprintf(w, "M 644 inline images/%d.bin\ndata %d\n%s\n", i, len(noise), noise)
		case largeEvery - 1:
			_, err = fmt.Fprintf(w, "D images/%d.bin\n", i-1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func putUint64(to []byte, v uint64) {
	for i := range 8 {
		to[i] = byte(v >> (8 * i))
	}
}

func commitHead(w io.Writer, i int) error {
	message := fmt.Sprintf("change %d\n\nWhat it is good for.", i)
	_, err := fmt.Fprintf(w, "commit refs/heads/main\ncommitter Bob <bob@example.com> %d +0000\ndata %d\n%s\n", 1_600_000_000+60*i, len(message), message)
	return err
}

// putFile writes one file of an app, with two kilobytes of text.
func putFile(w io.Writer, n, version int) error {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(version)))
	text := fmt.Sprintf("# file %d, version %d\n", n, version)
	for len(text) < 2000 {
		text += fmt.Sprintf("setting-%d: value %d of %d\n", rng.IntN(1000), rng.IntN(100000), n)
	}
	name := [largeFiles]string{"compose.yaml", "app.env", "nginx.conf", "README.md", "conf/a.yaml", "conf/b.yaml", "conf/c.yaml", "conf/d.json", "conf/deep/e.json", "conf/deep/f.txt"}[n%largeFiles]
	_, err := fmt.Fprintf(w, "M 644 inline team-%02d/app-%04d/%s\ndata %d\n%s\n", n/largeFiles%40, n/largeFiles, name, len(text), text)
	return err
}

// more commits a change of one file to the bare repository.
func (r *repo) more(i int) string {
	r.t.Helper()
	var in strings.Builder
	if err := errors.Join(commitHead(&in, largeCommits+i), from(&in), putFile(&in, (i*37)%(largeApps*largeFiles), largeCommits+i)); err != nil {
		r.t.Fatal(err)
	}
	r.gitIn(in.String(), "fast-import", "--quiet")
	return r.git("rev-parse", "refs/heads/main")
}

// from continues the branch.
func from(w io.Writer) error {
	_, err := io.WriteString(w, "from refs/heads/main^0\n")
	return err
}
