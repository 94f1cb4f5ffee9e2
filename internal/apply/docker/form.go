package docker

import (
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/spec"
)

// form is a container in the engine's words: what create sends and what inspect
// gives back. Both sides of a comparison pass through one reader (read), so that
// what is equal to the engine is equal here.
//
// References to other things are symbolic in a form (service:db, mount:HASH/x);
// peers and mounts exchange them for IDs and paths at the border.
type form struct {
	config *container.Config
	host   *container.HostConfig
	// endpoints are by the engine's network name.
	endpoints map[string]*network.EndpointSettings
}

// write says c in the engine's words.
func write(c spec.Container) form {
	f := form{config: &container.Config{}, host: &container.HostConfig{}, endpoints: map[string]*network.EndpointSettings{}}
	writeProcess(c, f)
	writePorts(c, f)
	writeNetworks(c, f)
	writeMounts(c, f)
	writeHealthcheck(c, f)
	writeLimits(c.Resources, f)
	writeSecurity(c.Security, f)
	writeLogging(c, f)
	return f
}

// read says f in the words of a Compose file. What f has from image, or from the
// engine by itself, is left zero: a nil field means "the default" in spec.
func read(f form, image *imageFacts) spec.Container {
	var c spec.Container
	readProcess(f, &c, image)
	readPorts(f, &c, image)
	readNetworks(f, &c)
	readMounts(f, &c, image)
	readHealthcheck(f, &c, image)
	readLimits(f, &c.Resources)
	readSecurity(f, &c.Security)
	readLogging(f, &c)
	return c
}
