package dockertest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Whom a program of the distribution may want to run as.
const (
	users  = "root:x:0:0::/:/none\nwww-data:x:33:33::/:/none\nhaproxy:x:99:99::/:/none\nnobody:x:65534:65534::/:/none\n"
	groups = "root:x:0:\nwww-data:x:33:\nhaproxy:x:99:\nnogroup:x:65534:\n"
)

// Packed builds an image FROM scratch of a program of this machine, such as
// nginx, with the libraries that it is linked with, and returns its unique
// reference NAME:v1. The program is its entrypoint. Files are added by their
// paths, as /etc/nginx/nginx.conf; a path that ends in a slash is a directory.
// Lines are added to its Dockerfile, as CMD [...]. It is removed when the test
// ends. A program that is not there fails the test.
func Packed(t testing.TB, program string, files map[string]string, lines ...string) string {
	t.Helper()
	api := Client(t)
	path := located(t, program)
	packed := map[string][]byte{"root/etc/passwd": []byte(users), "root/etc/group": []byte(groups), "root/tmp/": nil}
	for _, file := range append(libraries(t, path), path) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("pack %s: %v", program, err)
		}
		packed["root"+file] = content
	}
	for file, content := range files {
		packed["root"+file] = []byte(content)
	}
	ref := Name() + ":v1"
	packed["Dockerfile"] = []byte("FROM scratch\nCOPY root /\nENTRYPOINT [\"" + path + "\"]\nLABEL io.syncd.test=" + ref + "\n" + strings.Join(lines, "\n") + "\n")
	archived, err := archive(packed)
	if err != nil {
		t.Fatalf("pack image context: %v", err)
	}
	built(t, api, archived, ref)
	return ref
}

// located finds a program where this user looks, and where a distribution keeps
// what its administrator starts.
func located(t testing.TB, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program, "/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed (hack/proxies.sh does so, or run with -short)", program)
	return ""
}

// libraries returns what the loader would load for a program, and the loader.
func libraries(t testing.TB, program string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	text, err := exec.CommandContext(ctx, "ldd", program).CombinedOutput()
	if strings.Contains(string(text), "not a dynamic executable") {
		return nil
	}
	if err != nil {
		t.Fatalf("ask ldd for the libraries of %s: %v", program, err)
	}
	var files []string
	for _, word := range strings.Fields(string(text)) {
		if strings.HasPrefix(word, "/") {
			files = append(files, word)
		}
	}
	return files
}
