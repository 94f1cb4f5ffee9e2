// Package hack_test holds the scripts of this directory against what they say.
package hack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script runs a command in the project's directory within five minutes.
func script(t *testing.T, environ []string, name string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute) // also for cleaning up
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), environ...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("run %s: %v", name, err)
	}
	return out.String(), complaint.String(), cmd.ProcessState.ExitCode()
}

func needsEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
}

func TestEngineScriptIsQuietWhereAnEngineAnswers(t *testing.T) {
	needsEngine(t)
	if out, complaint, exit := script(t, nil, "hack/engine.sh"); exit != 0 || out+complaint != "" {
		t.Errorf("exit %d, said %q", exit, out+complaint)
	}
}

func TestEngineScriptLeavesAForeignEngineAlone(t *testing.T) {
	_, complaint, exit := script(t, []string{"DOCKER_HOST=unix:///nowhere/docker.sock"}, "hack/engine.sh")
	if exit != 1 || !strings.Contains(complaint, "unix:///nowhere/docker.sock") || !strings.Contains(complaint, "hint: ") {
		t.Errorf("exit %d, said %q; want exit 1, the address and a hint", exit, complaint)
	}
}

func TestClusterScriptIsQuietWhereTheClusterAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the shared cluster")
	}
	if out, complaint, exit := script(t, nil, "hack/cluster.sh"); exit != 0 || out+complaint != "" {
		t.Errorf("exit %d, said %q", exit, out+complaint)
	}
	out, complaint, exit := script(t, nil, "hack/cluster.sh", "kubeconfig")
	if _, err := os.Stat(strings.TrimSpace(out)); exit != 0 || err != nil {
		t.Errorf("exit %d, said %q, and %q: %v", exit, complaint, out, err)
	}
}

// pretending returns an environ in which programs are replaced by scripts.
func pretending(t *testing.T, programs map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
}

func TestClusterScriptSaysThatItNeedsRoot(t *testing.T) {
	_, complaint, exit := script(t, pretending(t, map[string]string{"id": "echo 1000"}), "hack/cluster.sh")
	if exit != 1 || !strings.Contains(complaint, "takes Linux and root") || !strings.Contains(complaint, "hint: ") {
		t.Errorf("exit %d, said %q", exit, complaint)
	}
}

// TestClusterScriptInstallsWhatIsMissing runs it where there is an etcd, and all
// else but runc.
func TestClusterScriptInstallsWhatIsMissing(t *testing.T) {
	log := filepath.Join(t.TempDir(), "asked")
	programs := map[string]string{
		"id": "echo 0", "uname": "echo Linux", "systemctl": "exit 0", "go": "exit 0", // what it would run is tested elsewhere
		"apt-cache": "echo '  Candidate: 1.0'", "apt-get": "echo \"$@\" >>" + log,
		"etcd": "exit 0", "containerd": "exit 0", "ctr": "exit 0", "ip": "exit 0", "iptables": "exit 0",
	}
	for _, name := range []string{"bash", "dirname", "mktemp", "cat", "rm", "sed"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		programs[name] = "exec " + path + " \"$@\""
	}
	dir, _, _ := strings.Cut(strings.TrimPrefix(pretending(t, programs)[0], "PATH="), ":")
	_, complaint, exit := script(t, []string{"PATH=" + dir}, "/usr/bin/env", "bash", "hack/cluster.sh")
	asked, err := os.ReadFile(log)
	if err != nil || exit != 0 || !strings.Contains(string(asked), " runc") || strings.Contains(string(asked), "etcd-server") {
		t.Errorf("exit %d, said %q, asked for %q: %v", exit, complaint, asked, err)
	}
}

func TestComposeScriptPrintsHowComposeIsCalled(t *testing.T) {
	needsEngine(t)
	out, complaint, exit := script(t, nil, "hack/compose.sh")
	words := strings.Fields(out)
	if exit != 0 || len(words) == 0 {
		t.Fatalf("exit %d, said %q", exit, complaint)
	}
	if _, complaint, exit := script(t, nil, words[0], append(words[1:], "version")...); exit != 0 {
		t.Errorf("%s version: exit %d: %s", out, exit, complaint)
	}
}

func TestProxiesScriptPrintsWhereTheyAre(t *testing.T) {
	needsEngine(t)
	out, complaint, exit := script(t, nil, "hack/proxies.sh")
	paths, want := strings.Fields(out), []string{"nginx", "haproxy", "docker-registry", "prometheus", "prometheus-alertmanager"}
	if exit != 0 || len(paths) != len(want) {
		t.Fatalf("exit %d, said %q %q; want the paths of %q", exit, out, complaint, want)
	}
	for i, path := range paths {
		version := "-v"
		if strings.HasPrefix(want[i], "prometheus") {
			version = "--version"
		}
		if _, complaint, exit := script(t, nil, path, version); exit != 0 || filepath.Base(path) != want[i] {
			t.Errorf("%s %s: exit %d: %s; want it to be %s", path, version, exit, complaint, want[i])
		}
	}
}

func TestImageHoldsTheProgramsAndNothingElse(t *testing.T) {
	needsEngine(t)
	tag := fmt.Sprintf("syncdtest-image:%d", os.Getpid())
	t.Cleanup(func() {
		if _, complaint, exit := script(t, nil, "docker", "image", "rm", "-f", tag); exit != 0 {
			t.Errorf("remove the image: %s", complaint)
		}
	})
	if _, complaint, exit := script(t, []string{"VERSION=v1.2.3-test"}, "hack/image.sh", "--local", tag); exit != 0 {
		t.Fatalf("hack/image.sh: %s", complaint)
	}
	out, complaint, exit := script(t, nil, "docker", "run", "--rm", "--network", "none", tag, "version")
	if exit != 0 || !strings.Contains(out, "v1.2.3-test") {
		t.Errorf("syncd version: exit %d, said %q %q", exit, out, complaint)
	}
	out, complaint, exit = script(t, nil, "docker", "run", "--rm", "--network", "none", "--entrypoint", "/usr/local/bin/syncd-render", tag, "version")
	if exit != 0 || !strings.Contains(out, "v1.2.3-test") {
		t.Errorf("syncd-render version: exit %d, said %q %q", exit, out, complaint)
	}
	holds(t, tag, "usr/local/bin/syncd", "usr/local/bin/syncd-gate", "usr/local/bin/syncd-render", "etc/ssl/certs/ca-certificates.crt", "LICENSE")
	labels, _, _ := script(t, nil, "docker", "image", "inspect", "-f", `{{index .Config.Labels "org.opencontainers.image.version"}} {{.Config.Volumes}}`, tag)
	if !strings.Contains(labels, "v1.2.3-test") || !strings.Contains(labels, "/var/lib/syncd") {
		t.Errorf("the image says %q of itself", labels)
	}
}

// holds fails the test unless the image's files are the wanted ones, besides
// what the engine puts into every container.
func holds(t *testing.T, tag string, want ...string) {
	t.Helper()
	id, complaint, exit := script(t, nil, "docker", "create", tag)
	if exit != 0 {
		t.Fatalf("docker create: %s", complaint)
	}
	id = strings.TrimSpace(id)
	t.Cleanup(func() {
		if _, complaint, exit := script(t, nil, "docker", "rm", "-v", id); exit != 0 {
			t.Errorf("remove the container: %s", complaint)
		}
	})
	list, complaint, exit := script(t, nil, "bash", "-c", "docker export "+id+" | tar -t")
	if exit != 0 {
		t.Fatalf("list the image's files: %s", complaint)
	}
	engines := map[string]bool{".dockerenv": true, "dev/console": true, "etc/hostname": true, "etc/hosts": true, "etc/mtab": true, "etc/resolv.conf": true}
	var got []string
	for _, file := range strings.Fields(list) {
		if !strings.HasSuffix(file, "/") && !engines[file] {
			got = append(got, file)
		}
	}
	for _, file := range want {
		if !strings.Contains(list, file+"\n") {
			t.Errorf("the image lacks %s", file)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the image holds %v, want %v", got, want)
	}
}
