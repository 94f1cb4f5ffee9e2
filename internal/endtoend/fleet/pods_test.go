package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// running is the status of a pod that runs and is ready: no node is there that would
// say so. More than a hundred pods are more than one node takes.
const running = `{"status":{"phase":"Running","podIP":"10.99.0.1","startTime":"2026-01-01T00:00:00Z",
"conditions":[{"type":"PodScheduled","status":"True"},{"type":"Initialized","status":"True"},{"type":"ContainersReady","status":"True"},{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],
"containerStatuses":[{"name":"app","image":"syncd-test/app:1","imageID":"","ready":true,"started":true,"restartCount":0,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}`

// runPods stands for nodes, until the benchmark ends: each pod is ready as soon as it
// is there.
func (f *fleet) runPods() {
	f.Helper()
	ctx, end := context.WithCancel(context.WithoutCancel(f.Context()))
	var group errgroup.Group
	f.Cleanup(func() {
		end()
		if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			f.Error(err)
		}
	})
	names := make(chan string)
	group.Go(func() error {
		defer close(names)
		named := map[string]bool{}
		for ctx.Err() == nil { // an API server ends watches, one that has just begun soon
			if err := f.watchPods(ctx, names, named); err != nil {
				return err
			}
		}
		return nil
	})
	for range 8 {
		group.Go(func() error {
			for name := range names {
				err := f.send("PATCH", "/api/v1/namespaces/default/pods/"+name+"/status", "application/strategic-merge-patch+json", running)
				if err != nil && !strings.Contains(err.Error(), "not found") && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
}

// awaitPods waits until so many Deployments have all of their pods.
func (f *fleet) awaitPods(deployments int) {
	f.Helper()
	limit := time.After(10 * time.Minute)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		var list struct {
			Items []struct {
				Status struct{ AvailableReplicas int }
			}
		}
		f.must(f.get("/apis/apps/v1/namespaces/default/deployments?resourceVersion=0", &list))
		ready := 0
		for _, d := range list.Items {
			if d.Status.AvailableReplicas >= f.pods {
				ready++
			}
		}
		if ready >= deployments {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			f.Fatalf("%d of %d Deployments have their pods", ready, deployments)
		}
	}
}

// watchPods names each pod that was not named before, until the watch ends.
func (f *fleet) watchPods(ctx context.Context, names chan<- string, named map[string]bool) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cluster.URL()+"/api/v1/namespaces/default/pods?watch=1", nil)
	if err != nil {
		return err
	}
	answer, err := f.cluster.Client().Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for stream := json.NewDecoder(answer.Body); ; {
		var e struct {
			Type   string
			Object struct{ Metadata struct{ Name string } }
		}
		err := stream.Decode(&e)
		switch {
		case ctx.Err() != nil, errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case e.Type != "ADDED", named[e.Object.Metadata.Name]:
			continue
		}
		named[e.Object.Metadata.Name] = true
		select {
		case names <- e.Object.Metadata.Name:
		case <-ctx.Done():
			return nil
		}
	}
}
