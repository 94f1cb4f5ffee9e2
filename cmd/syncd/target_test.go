package main

import (
	"testing"

	"syncd.io/syncd/internal/config"
)

func TestAPodKeepsItsOwnClusterWhereNothingNamesAnother(t *testing.T) {
	for name, c := range map[string]struct {
		host       config.Host
		dockerHost string
		pod, want  bool
	}{
		"on a host":            {config.Host{}, "", false, false},
		"in a pod":             {config.Host{}, "", true, true},
		"with an engine":       {config.Host{Docker: "unix:///a"}, "", true, false},
		"with another's":       {config.Host{}, "unix:///a", true, false},
		"as the settings say":  {config.Host{Kubernetes: &config.Kubernetes{}}, "unix:///a", false, true},
		"as they say in a pod": {config.Host{Kubernetes: &config.Kubernetes{}}, "", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.dockerHost)
			atHome(&c.host, c.pod)
			if got := c.host.Kubernetes != nil; got != c.want {
				t.Errorf("a cluster is kept: %t, want %t", got, c.want)
			}
		})
	}
}

func TestFlagsNameTheTargetOverTheFile(t *testing.T) {
	file := config.Kubernetes{Kubeconfig: "/file", Context: "prod", Namespace: "ops"}
	for name, c := range map[string]struct {
		flags  flags
		host   config.Host
		docker string
		want   *config.Kubernetes
	}{
		"nothing":                    {flags{}, config.Host{Kubernetes: &file}, "", &file},
		"an engine":                  {flags{docker: "unix:///a"}, config.Host{Kubernetes: &file}, "unix:///a", nil},
		"a cluster":                  {flags{kubeconfig: "/flag"}, config.Host{Docker: "unix:///a"}, "", &config.Kubernetes{Kubeconfig: "/flag"}},
		"another file, no context":   {flags{kubeconfig: "/flag"}, config.Host{Kubernetes: &file}, "", &config.Kubernetes{Kubeconfig: "/flag", Namespace: "ops"}},
		"another context":            {flags{context: "test"}, config.Host{Kubernetes: &file}, "", &config.Kubernetes{Kubeconfig: "/file", Context: "test", Namespace: "ops"}},
		"a context of the usual one": {flags{context: "test"}, config.Host{}, "", &config.Kubernetes{Context: "test"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.flags.aim(&c.host); err != nil {
				t.Fatal(err)
			}
			got := c.host.Kubernetes
			if c.host.Docker != c.docker || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("docker %q, cluster %+v; want %q, %+v", c.host.Docker, got, c.docker, c.want)
			}
		})
	}
	if file.Kubeconfig != "/file" {
		t.Error("the file's settings were changed")
	}
}
