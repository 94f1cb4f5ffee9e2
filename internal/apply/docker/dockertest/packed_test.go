package dockertest_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

func TestPackedProgramRunsFromItsImage(t *testing.T) {
	api := dockertest.Client(t)
	for _, program := range []string{"nginx", "haproxy"} {
		t.Run(program, func(t *testing.T) {
			ref := dockertest.Packed(t, program, map[string]string{"/var/log/nginx/": ""}, `CMD ["-v"]`)
			name := dockertest.Project(t)
			ctx, cancel := context.WithTimeout(t.Context(), dockertest.Limit)
			defer cancel()
			if _, err := api.ContainerCreate(ctx, &container.Config{Image: ref}, nil, nil, nil, name); err != nil {
				t.Fatal(err)
			}
			if err := api.ContainerStart(ctx, name, container.StartOptions{}); err != nil {
				t.Fatal(err)
			}
			ended, failed := api.ContainerWait(ctx, name, container.WaitConditionNotRunning)
			var exit int64
			select {
			case err := <-failed:
				t.Fatal(err)
			case answer := <-ended:
				exit = answer.StatusCode
			}
			logs, err := api.ContainerLogs(ctx, name, container.LogsOptions{ShowStdout: true, ShowStderr: true})
			if err != nil {
				t.Fatal(err)
			}
			defer logs.Close()
			var said bytes.Buffer
			if _, err := stdcopy.StdCopy(&said, &said, logs); err != nil {
				t.Fatal(err)
			}
			if exit != 0 || !bytes.Contains(bytes.ToLower(said.Bytes()), []byte(program+" version")) {
				t.Errorf("%s -v: exit %d, said %q", program, exit, said.String())
			}
		})
	}
}
