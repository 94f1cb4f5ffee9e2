package kubetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// busy is a pod with everything that leaves traces on a machine: mounts, a port
// of the host, a log.
const busy = `{"metadata": {"name": "busy"}, "spec": {"containers": [{"name": "app", "image": "` + App + `:1",
	"ports": [{"containerPort": 8080, "hostPort": 18080, "hostIP": "127.0.0.1"}], "volumeMounts": [{"name": "tmp", "mountPath": "/var/tmp"}]}],
	"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory"}}]}}`

// traces returns what a machine shows of a cluster in dir with such a bridge.
func traces(t *testing.T, dir, bridge string) []string {
	t.Helper()
	var found []string
	for name := range ours(dir) {
		found = append(found, "process "+name)
	}
	for name, text := range map[string]string{
		"mount":       file(t, "/proc/self/mountinfo"),
		"port":        said(t, "iptables", "-w", "10", "-t", "nat", "-S"),
		"rule":        said(t, "iptables", "-w", "10", "-S"),
		"cgroup":      strings.Join(matches("/sys/fs/cgroup/*/"+bridge, "/sys/fs/cgroup/"+bridge), "\n"),
		"memory":      strings.Join(matches("/var/lib/cni/results/"+bridge+"-*"), "\n"),
		"link to log": said(t, "find", "/var/log/containers", "-lname", dir+"/*"),
	} {
		for line := range strings.Lines(text) {
			if strings.Contains(line, dir) || strings.Contains(line, bridge+"\"") || strings.Contains(line, bridge+" ") || strings.Contains(line, "/"+bridge) {
				found = append(found, name+" "+line)
			}
		}
	}
	if _, err := net.InterfaceByName(bridge); err == nil {
		found = append(found, "bridge "+bridge)
	}
	return append(found, matches(dir)...)
}

func file(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func said(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}

func matches(patterns ...string) []string {
	var found []string
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(pattern) // well-formed
		found = append(found, paths...)
	}
	return found
}

// busily starts the pod that leaves traces and waits until it runs.
func busily(t *testing.T, c *Access) {
	t.Helper()
	create(t, c, in("default", "pods"), busy)
	eventually(t, "the pod runs", func(ctx context.Context) error {
		found, err := c.Do(ctx, http.MethodGet, in("default", "pods/busy"), nil)
		if err == nil && field(found, "status", "phase") != "Running" {
			return fmt.Errorf("its status is %v", found["status"])
		}
		return err
	})
}

func TestANodeLeavesNothingBehind(t *testing.T) {
	asRoot(t)
	t.Parallel()
	c := Start(t, Options{Node: true})
	if Shared(t).URL() == c.URL() {
		t.Fatal("it has the shared cluster's address")
	}
	busily(t, c.Access)
	if shown := traces(t, c.dir, c.Net.Bridge); len(shown) < 8 {
		t.Errorf("this test sees too little of a running cluster: %q", shown)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, c.dir, c.Net.Bridge); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestAKilledTestsClusterIsClearedAway kills a process that has a cluster with a
// node, as a test is that takes too long. The control plane dies with it; what
// does not is cleared away by whoever starts the next one.
func TestAKilledTestsClusterIsClearedAway(t *testing.T) {
	asRoot(t)
	if os.Getenv("KUBETEST_TO_BE_KILLED") != "" {
		c := Start(t, Options{Node: true})
		busily(t, c.Access)
		fmt.Fprintf(os.Stdout, "\nready %s %s\n", c.dir, c.Net.Bridge)
		<-t.Context().Done() // never: it is killed
		return
	}
	if testing.Short() {
		t.Skip("needs a node")
	}
	dir, bridge := killed(t)
	eventually(t, "the control plane dies with who started it", func(context.Context) error {
		if running := ours(dir); len(running["etcd"])+len(running["kube-apiserver"])+len(running["kubelet"])+len(running["containerd"]) > 0 {
			return fmt.Errorf("these run: %v", running)
		}
		return nil
	})
	if left := traces(t, dir, bridge); len(left) == 0 {
		t.Error("nothing was left to clear away: this test shows nothing")
	}
	if err := Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, dir, bridge); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// killed runs this very test in another process, kills that, and returns what
// its cluster was.
func killed(t *testing.T) (dir, bridge string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	other := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	other.Env = append(os.Environ(), "KUBETEST_TO_BE_KILLED=1")
	other.Stderr = os.Stderr
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	var words []string
	for lines := bufio.NewScanner(out); len(words) != 3 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "ready ") {
			words = strings.Fields(lines.Text())
		}
	}
	err = errors.Join(other.Process.Kill(), expectDeath(other.Wait()))
	if err != nil || len(words) != 3 {
		t.Fatalf("the other process said %q: %v", words, err)
	}
	return words[1], words[2]
}

// expectDeath returns nil for a process that was killed.
func expectDeath(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return errors.Join(errors.New("it ended by itself"), err)
}
