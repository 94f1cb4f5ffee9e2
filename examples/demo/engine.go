package main

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// onEngine is the story on a Docker engine.
func (s *story) onEngine(ctx context.Context) (plot, error) {
	version, err := docker(ctx, "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return plot{}, err
	}
	if s.ports, err = freePorts(ctx, "SHOP_PORT", "BLOG_PORT"); err != nil {
		return plot{}, err
	}
	s.scene = s.engineScene(s.ports)
	return plot{
		title:   "syncd demo: a Git repository, a Docker engine (" + version + "), and what happens between them",
		promise: "All that this makes has " + s.mark + " in its name, and is removed at the end.",
		images:  s.engineImages,
		leavings: func(ctx context.Context) error {
			return eachApp(ctx, s.apps, removeProject)
		},
		chapters: []chapter{
			{"The first deploy", s.firstDeploy},
			{"A merged change rolls out", s.mergedChange},
			{"A broken change fails its health gate and is rolled back", s.brokenChange},
			{"Someone removes a container by hand", s.removedByHand},
		},
	}, nil
}

// engineScene gives app directories, which name projects, and the image names of
// their own.
func (s *stage) engineScene(ports map[string]int) scene {
	var paths []string
	out := scene{texts: strings.NewReplacer(examplesImage+":", s.image+":")}
	for _, name := range []string{"shop", "blog", "metrics"} {
		out.apps = append(out.apps, s.app(name))
		paths = append(paths, name+"/", s.app(name)+"/")
	}
	out.paths = strings.NewReplacer(paths...)
	out.host = "host:\n  name: demo\n  labels: {role: edge}\n  vars:\n"
	for variable, port := range ports {
		out.host += fmt.Sprintf("    %s: \"%d\"\n", variable, port)
	}
	return out
}

// app is the name, and directory, of one of examples/repo's apps on an engine.
func (s *stage) app(name string) string { return name + "-" + s.mark }

// engineImages has the engine build the example's images.
func (s *story) engineImages(ctx context.Context) error {
	label := "syncd.demo=" + s.mark
	s.later(func(ctx context.Context) error { return removeImages(ctx, label) })
	// An engine goes on building after its client was interrupted: a build is
	// always seen to its end, so that what it made can be removed.
	if _, err := program(context.WithoutCancel(ctx), s.root, []string{"TMPDIR=" + s.dir}, "hack/example-images.sh", s.image, "--label", label); err != nil {
		return err
	}
	s.say("Built the example's images %s:1, :2 and :3; the third is broken.", s.image)
	return nil
}

// freePorts returns a loopback port for each variable that was free a moment ago.
func freePorts(ctx context.Context, variables ...string) (map[string]int, error) {
	ports := map[string]int{}
	for _, variable := range variables {
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		ports[variable] = ln.Addr().(*net.TCPAddr).Port
		if err := ln.Close(); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	return ports, nil
}
