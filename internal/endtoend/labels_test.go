package endtoend_test

import (
	"maps"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

const labelled = `
services:
  web:
    image: IMAGE
    PROBE
    labels:
      - traefik.http.routers.web.rule=Host(` + "`shop.example.org`" + `) && PathRegexp(` + "`^/(a|b)$$`" + `)
      - "traefik.http.middlewares.auth.basicauth.users=ann:$$apr1$$H6uskkkW$$IgXLP6ewTrSuBkTrqE8wj/,bob:$$2y$$05$$x"
      - "traefik.http.routers.web.middlewares=auth@docker, strip@file"
      - 'odd= "quoted" \back\slash {{.Name}} = ümlaut	tab'
      - empty=
      - traefik.enable=true
`

// What a proxy reads is what the repository says, byte for byte.
func TestLabelsPassThroughUntouched(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(labelled)
	h.want(h.sync(), reconcile.Applied)
	want := map[string]string{
		"traefik.http.routers.web.rule":                 "Host(`shop.example.org`) && PathRegexp(`^/(a|b)$`)",
		"traefik.http.middlewares.auth.basicauth.users": "ann:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/,bob:$2y$05$x",
		"traefik.http.routers.web.middlewares":          "auth@docker, strip@file",
		"odd":                                           ` "quoted" \back\slash {{.Name}} = ümlaut	tab`, "empty": "", "traefik.enable": "true",
	}
	got := maps.Clone(h.one("web").Config.Labels)
	maps.DeleteFunc(got, func(key, _ string) bool {
		return strings.HasPrefix(key, "com.docker.compose.") || strings.HasPrefix(key, "io.syncd.")
	})
	if !maps.Equal(got, want) {
		t.Errorf("the container's labels are\n%q, want\n%q", got, want)
	}
	h.settled()
}

// So is what the example for Traefik says.
func TestTraefikExampleIsDeployed(t *testing.T) {
	t.Parallel()
	app := exampleImages(t)
	h := newHost(t)
	_, web, ok := strings.Cut(example(t, "proxies/traefik/compose.yaml"), "\n  web:\n") // Traefik itself cannot be had here
	if !ok {
		t.Fatal("the example has no service web")
	}
	h.deploy("services:\n  web:\n" + strings.ReplaceAll(web, "syncd-example", app))
	h.want(h.sync(), reconcile.Applied)
	labels := h.one("web").Config.Labels
	if got, want := labels["traefik.http.routers.web.rule"], "Host(`shop.localhost`) || PathRegexp(`^/(a|b)$`)"; got != want {
		t.Errorf("the rule is %s, want %s", got, want)
	}
	if got := labels["traefik.http.services.web.loadbalancer.healthcheck.path"]; got != "/healthz" {
		t.Errorf("its health is asked for at %q", got)
	}
}
