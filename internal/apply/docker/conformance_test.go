package docker

import (
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func TestDockerConforms(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	applytest.Conformance(t, func(t *testing.T) (apply.Target, applytest.Fixtures) {
		f := newFixture(t)
		image := dockertest.Image(t, "")
		network, volume := f.network("front", nil), f.volume("data", nil)
		web := func(v string, memory int64) resource.Object {
			o := f.container(image, "web", 1, func(c *spec.Container) {
				version(v)(c)
				c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front", Aliases: []string{"web"}}}
				c.Resources.Memory = memory
			})
			o.Refs = []resource.Key{network.Key}
			return o
		}
		held := freePort(t)
		port := func(c *spec.Container) { c.Ports = []spec.Port{held} }
		job := func(code string) resource.Object {
			o := f.container(image, "migrate", 1, func(c *spec.Container) { c.Environment = map[string]string{"APP_EXIT": code} })
			o.Once = true
			return o
		}
		child := f.container(image, "app", 1, func(c *spec.Container) {
			c.NetworkMode = "service:vpn"
			c.Environment = map[string]string{"APP_LISTEN": ":8081"}
		})
		child.Refs = []resource.Key{slotKey("vpn", "1")}
		return f.target, applytest.Fixtures{
			Owned: apply.Owned{App: f.project}, Network: network, Volume: volume,
			V1: web("1", 64<<20), V2: web("2", 64<<20), Mended: web("1", 96<<20),
			Holder: f.container(image, "old", 1, port), Rival: f.container(image, "new", 1, port),
			Job: job("0"), Broken: job("3"),
			Parent: f.container(image, "vpn", 1, version("1")), Parent2: f.container(image, "vpn", 1, version("2")), Child: child,
		}
	})
}
