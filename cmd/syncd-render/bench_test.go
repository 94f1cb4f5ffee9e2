package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
)

const fleetApp = `apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: app, image: "example.com/app:1"}]}
`

// BenchmarkRender is many apps that are asked for at once, as after a start, and one
// alone, as after a change: what it takes, and the processor time of the children.
func BenchmarkRender(b *testing.B) {
	child := build(b)
	for _, cluster := range []bool{true, false} {
		target, file, text := "engine", "compose.yaml", "services: {web: {image: 'example.com/app:1', ports: ['80']}}\n"
		if cluster {
			target, file, text = "cluster", "app.yaml", fleetApp
		}
		for _, apps := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", target, apps), func(b *testing.B) { renderAll(b, child, cluster, apps, file, text) })
		}
	}
}

func renderAll(b *testing.B, child sandbox.Child, cluster bool, apps int, file, text string) {
	shared := &render.Shared{Root: b.TempDir(), Kubernetes: cluster, Tracked: map[string]string{}}
	for i := range apps {
		app := fmt.Sprintf("app-%04d", i)
		name := app + "/" + file
		write(b, filepath.Join(shared.Root, name), strings.ReplaceAll(text, "NAME", app))
		shared.Tracked[name] = "100644 8ab686eafeb1f44702738c8b0f24f2567c36da6d"
	}
	renderer, children, agent := &render.Child{Sandbox: child}, spent(b, syscall.RUSAGE_CHILDREN), spent(b, syscall.RUSAGE_SELF)
	for b.Loop() {
		var all errgroup.Group
		for i := range apps {
			all.Go(func() error {
				name := fmt.Sprintf("app-%04d", i)
				_, err := renderer.Render(b.Context(), render.Request{Shared: shared, App: render.App{Name: name, Dir: name}})
				return err
			})
		}
		if err := all.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	report := func(who int, before float64, unit string) {
		b.ReportMetric((spent(b, who)-before)/float64(b.N)/float64(apps), unit)
	}
	report(syscall.RUSAGE_CHILDREN, children, "child-cpu-ms/app")
	report(syscall.RUSAGE_SELF, agent, "agent-cpu-ms/app")
}

// spent is the processor time of this process, or of its children that have ended, in
// milliseconds.
func spent(b *testing.B, who int) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
