package main

import (
	"context"
	"errors"
	"strings"
)

// projectLabel is Compose's own mark of what belongs together.
const projectLabel = "com.docker.compose.project="

// docker runs the docker program.
func docker(ctx context.Context, args ...string) (string, error) {
	return program(ctx, "", nil, "docker", args...)
}

// container returns the ID of one running instance of a project's service, or
// the empty string.
func container(ctx context.Context, project, service, number string) (string, error) {
	return docker(ctx, "ps", "-q", "--no-trunc",
		"--filter", "label="+projectLabel+project,
		"--filter", "label=com.docker.compose.service="+service,
		"--filter", "label=com.docker.compose.container-number="+number)
}

// containers is a table of a project's containers, as docker ps prints it.
func containers(ctx context.Context, project string) (string, error) {
	return docker(ctx, "ps", "-a", "--filter", "label="+projectLabel+project,
		"--format", "table {{.Names}}\t{{.Image}}\t{{.Status}}\t{{.Ports}}")
}

// kind is how one kind of thing is listed and removed.
type kind struct{ list, remove []string }

// kinds are what a project leaves behind, in the order in which it can go.
func kinds() []kind {
	return []kind{
		{[]string{"ps", "-a", "-q"}, []string{"rm", "-f", "-v"}},
		{[]string{"network", "ls", "-q"}, []string{"network", "rm"}},
		{[]string{"volume", "ls", "-q"}, []string{"volume", "rm"}},
	}
}

// eachApp does something for every app, whatever fails on the way.
func eachApp(ctx context.Context, apps []string, do func(context.Context, string) error) error {
	var failed []error
	for _, app := range apps {
		failed = append(failed, do(ctx, app))
	}
	return errors.Join(failed...)
}

// removeProject removes everything that carries the project's label.
func removeProject(ctx context.Context, project string) error {
	var failed []error
	for _, k := range kinds() {
		failed = append(failed, removeAll(ctx, k, "label="+projectLabel+project))
	}
	return errors.Join(failed...)
}

// removeImages removes the images with the label, whatever they are called.
func removeImages(ctx context.Context, label string) error {
	return removeAll(ctx, kind{[]string{"image", "ls", "-q"}, []string{"image", "rm", "-f"}}, "label="+label)
}

func removeAll(ctx context.Context, k kind, filter string) error {
	ids, err := docker(ctx, append(k.list, "--filter", filter)...)
	if err != nil || ids == "" {
		return err
	}
	_, err = docker(ctx, append(k.remove, strings.Fields(ids)...)...)
	return err
}
