package kubetest

import (
	"context"
	"time"
)

// StopAPIServer asks the API server to end and returns when it is gone. Everything
// else goes on. It takes no new connections from the first moment; watches that go
// on, for which it would wait a minute, are cut off after two seconds.
func (c *Cluster) StopAPIServer() { c.processes["kube-apiserver"].stop(2 * time.Second) }

// KillAPIServer ends the API server in the midst of what it does.
func (c *Cluster) KillAPIServer() { c.processes["kube-apiserver"].stop(0) }

// StartAPIServer starts it again at the same address with the same data, and
// returns when it is ready.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	return c.awaitAPIServer(ctx)
}

// RestartAPIServer stops it and starts it again.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	c.StopAPIServer()
	return c.StartAPIServer(ctx)
}
