package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
)

// What one app took is free for the next: a batch gets by with what one of its apps
// needs.
func TestABatchNeedsTheMemoryOfOneApp(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	shared := &render.Shared{Root: t.TempDir(), Kubernetes: true, MaxObjects: 5000, MaxBytes: 64 << 20}
	const apps = 4
	for app := range apps {
		for file := range 6 {
			var text strings.Builder
			fmt.Fprintf(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a%d}\ndata:\n", file)
			for line := range 6000 {
				fmt.Fprintf(&text, "  key-%d: some value\n", line)
			}
			write(t, filepath.Join(shared.Root, fmt.Sprintf("app-%d/%d.yaml", app, file)), text.String())
		}
	}
	in := func(limit int64, apps int) (answers int, err error) {
		batch := render.Batch{Shared: shared}
		for app := range apps {
			name := fmt.Sprintf("app-%d", app)
			batch.Requests = append(batch.Requests, render.Request{App: render.App{Name: name, Dir: name}})
		}
		err = sandbox.CallEach(t.Context(), child, "render", batch, func(_ render.Answer, err error) error {
			if err == nil {
				answers++
			}
			return err
		}, sandbox.Limits{Time: time.Minute, TimeoutClass: fault.Rejected, Memory: limit, Output: 64 << 20})
		return answers, err
	}
	if answers, err := in(96<<20, 1); answers > 0 || !strings.Contains(fmt.Sprint(err), "of memory") {
		t.Fatalf("one app gets by with half of the memory (%d answers, %v), and so shows nothing", answers, err)
	}
	if answers, err := in(192<<20, apps); answers != apps || err != nil {
		t.Errorf("%d of %d answers: %v", answers, apps, err)
	}
}
