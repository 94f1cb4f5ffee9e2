package endtoend_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// furnished mounts a file that Git tracks, and content of the Compose file.
const furnished = `
services:
  web:
    image: IMAGE
    configs: [{source: page, target: /page}]
    volumes: ["./app.conf:/etc/app.conf:ro"]
    PROBE
configs:
  page: {content: "from the Compose file"}
`

// TestShippedImage runs the agent as it is shipped: in a container, asking the
// engine for containers beside it that mount files of its own state directory.
func TestShippedImage(t *testing.T) {
	t.Parallel()
	agent := shippedImage(t)
	t.Run("with its state in a directory of the host", func(t *testing.T) {
		t.Parallel()
		b := newBoxed(t, agent)
		b.mounts = []string{b.state + ":/var/lib/syncd"}
		b.user = fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()) // who can remove the directory
		b.furnishes("/var/lib/syncd")
	})
	t.Run("with its state in a volume", func(t *testing.T) {
		t.Parallel()
		b := newBoxed(t, agent)
		b.mounts = []string{b.project + "-state:/var/lib/syncd"}
		b.furnishes("/var/lib/syncd")
	})
	t.Run("with its state in its own layer", func(t *testing.T) {
		t.Parallel()
		b := newBoxed(t, agent)
		b.write("app.conf", "one")
		b.deploy(furnished)
		res := b.runs(1, reconcile.Rejected, "/state")
		if !strings.Contains(res.Reason, "the engine cannot see /state") || !strings.Contains(res.Hint, "-v /var/lib/syncd:/var/lib/syncd") {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
		if list := dockertest.Containers(t, b.api, b.project); len(list) != 0 {
			t.Errorf("%d containers were made all the same", len(list))
		}
	})
}

// shippedImage builds the agent's image under a tag of its own.
func shippedImage(t *testing.T) string {
	t.Helper()
	api, tag := dockertest.Client(t), dockertest.Name()+":agent"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
		defer cancel()
		if _, err := api.ImageRemove(ctx, tag, image.RemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Errorf("clean up: remove image %s: %v", tag, err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "../../hack/image.sh", "--local", tag).CombinedOutput(); err != nil {
		t.Fatalf("build the image: %v\n%s", err, out)
	}
	return tag
}

// boxed is a host whose agent is a container.
type boxed struct {
	*host
	agentImage string
	mounts     []string // besides the socket and the repository
	user       string   // empty is root
}

func newBoxed(t *testing.T, agentImage string) *boxed {
	return &boxed{host: newHost(t), agentImage: agentImage}
}

// furnishes fails the test unless the app comes up with the right files, follows
// a change of one of them, and is left alone otherwise.
func (b *boxed) furnishes(state string) {
	b.t.Helper()
	b.write("app.conf", "one")
	b.deploy(furnished)
	b.runs(0, reconcile.Applied, state)
	first := b.well("one")
	b.runs(0, reconcile.Unchanged, state)
	if again := b.well("one"); again != first {
		b.t.Error("the second pass replaced the container")
	}
	b.write("app.conf", "two")
	b.merge("change app.conf")
	b.runs(0, reconcile.Applied, state)
	b.well("two")
	b.runs(0, reconcile.Unchanged, state)
}

// well returns the app's container, and fails the test unless that is healthy
// and sees its two files.
func (b *boxed) well(conf string) string {
	b.t.Helper()
	c := b.one("web")
	if c.State.Health == nil || c.State.Health.Status != container.Healthy {
		b.t.Errorf("the container is %+v", c.State)
	}
	for path, want := range map[string]string{"/etc/app.conf": conf, "/page": "from the Compose file"} {
		if got := b.inside(c.ID, path); got != want {
			b.t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	return c.ID
}

// inside returns a file of a container, as the engine hands it out.
func (b *boxed) inside(id, path string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), dockertest.Limit)
	defer cancel()
	stream, _, err := b.api.CopyFromContainer(ctx, id, path)
	b.must(err)
	defer stream.Close()
	files := tar.NewReader(stream)
	_, err = files.Next()
	b.must(err)
	data, err := io.ReadAll(files)
	b.must(err)
	return string(data)
}

// runs makes one pass with the agent in a container, and fails the test unless
// the program and the pass ended in this way.
func (b *boxed) runs(exit int64, outcome reconcile.Outcome, state string) reconcile.Result {
	b.t.Helper()
	status, stdout, stderr := b.run("sync", "--repo", "/repo", "--state", state, "-o", "json")
	var results []reconcile.Result
	if err := json.Unmarshal([]byte(stdout), &results); err != nil || len(results) != 1 {
		b.t.Fatalf("exit %d, said %q (%v)\n%s", status, stdout, err, stderr)
	}
	if status != exit || results[0].Outcome != outcome {
		b.t.Fatalf("exit %d, the pass ended %s (%s), want exit %d, %s\n%s", status, results[0].Outcome, results[0].Reason, exit, outcome, stderr)
	}
	return results[0]
}

// run starts the agent's container, waits for its end, and removes it.
func (b *boxed) run(args ...string) (status int64, stdout, stderr string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), passLimit)
	defer cancel()
	made, err := b.api.ContainerCreate(ctx, &container.Config{Image: b.agentImage, Cmd: args, User: b.user}, b.settings(), nil, nil, b.project+"-agent")
	b.must(err)
	ended, failed := b.api.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	b.must(b.api.ContainerStart(ctx, made.ID, container.StartOptions{}))
	select {
	case answer := <-ended:
		status = answer.StatusCode
	case err := <-failed:
		b.t.Fatalf("wait for the agent: %v", err)
	}
	logs, err := b.api.ContainerLogs(ctx, made.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	b.must(err)
	defer logs.Close()
	var out, complaint bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &complaint, logs)
	b.must(err)
	b.must(b.api.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}))
	return status, out.String(), complaint.String()
}

// settings give the agent the engine's socket and the repository. The engine can
// be asked by the group that owns its socket.
func (b *boxed) settings() *container.HostConfig {
	b.t.Helper()
	socket, ok := strings.CutPrefix(b.api.DaemonHost(), "unix://")
	if !ok {
		b.t.Fatalf("the engine at %s is not on this machine", b.api.DaemonHost())
	}
	info, err := os.Stat(socket)
	b.must(err)
	group := fmt.Sprint(info.Sys().(*syscall.Stat_t).Gid)
	binds := append([]string{socket + ":/var/run/docker.sock", b.repo + ":/repo:ro"}, b.mounts...)
	return &container.HostConfig{Binds: binds, GroupAdd: []string{group}, NetworkMode: "none"}
}
