package gatebench_test

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// port is where all listen, in their containers.
const port = "8080/tcp"

// files are what a program reads, by path.
type files map[string]string

// stage is a network with the backend and with those that lead to it. All of
// them are published alike: a port of the host's loopback address, which the
// engine's docker-proxy carries to the container.
type stage struct {
	b    *testing.B
	api  *client.Client
	name string

	backend *actor
}

// actor is a container on the stage.
type actor struct {
	stage *stage
	id    string
	pid   int
	at    string // ADDRESS:PORT of the host
	own   string // ADDRESS:PORT of the container
}

func newStage(b *testing.B) *stage {
	b.Helper()
	s := &stage{b: b, api: dockertest.Client(b), name: dockertest.Project(b)}
	ctx, cancel := context.WithTimeout(b.Context(), dockertest.Limit)
	defer cancel()
	_, err := s.api.NetworkCreate(ctx, s.name, network.CreateOptions{Driver: "bridge"})
	must(b, err)
	s.backend = s.start("backend", built(b, "syncd.io/syncd/internal/endtoend/gatebench/backend"), nil)
	return s
}

// start starts a container of a program of this machine, and waits until it
// answers.
func (s *stage) start(name, program string, f files, args ...string) *actor {
	s.b.Helper()
	ref := dockertest.Packed(s.b, program, f)
	ctx, cancel := context.WithTimeout(s.b.Context(), dockertest.Limit)
	defer cancel()
	config := &container.Config{Image: ref, Cmd: args, ExposedPorts: nat.PortSet{port: {}}}
	host := &container.HostConfig{
		NetworkMode:  container.NetworkMode(s.name),
		PortBindings: nat.PortMap{port: {{HostIP: "127.0.0.1"}}},
	}
	made, err := s.api.ContainerCreate(ctx, config, host, nil, nil, s.name+"-"+name)
	must(s.b, err)
	must(s.b, s.api.ContainerStart(ctx, made.ID, container.StartOptions{}))
	in, err := s.api.ContainerInspect(ctx, made.ID)
	must(s.b, err)
	a := &actor{stage: s, id: made.ID, pid: in.State.Pid, own: net.JoinHostPort(in.NetworkSettings.Networks[s.name].IPAddress, "8080")}
	if bound := in.NetworkSettings.Ports[port]; len(bound) > 0 {
		a.at = net.JoinHostPort(bound[0].HostIP, bound[0].HostPort)
	}
	s.b.Cleanup(a.saysWhy)
	dockertest.Eventually(s.b, name+" answers", func() bool {
		callers, err := dialAll(a.at, 1)
		return err == nil && hangUp(callers) == nil
	})
	return a
}

// saysWhy shows what the container printed, where the benchmark has failed.
func (a *actor) saysWhy() {
	if !a.stage.b.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
	defer cancel()
	said, err := a.stage.api.ContainerLogs(ctx, a.id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
	if err != nil {
		return
	}
	defer said.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, said); err == nil {
		a.stage.b.Log(text.String())
	}
}
