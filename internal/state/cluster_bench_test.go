package state

import (
	"fmt"
	"strconv"
	"testing"

	"syncd.io/syncd/internal/resource"
)

// fleet is an app of four objects, of the usual size.
func fleet(app string, n int) Record {
	var set Set
	for _, kind := range []string{"ServiceAccount", "Service", "Ingress", "Deployment"} {
		spec := fmt.Appendf(nil, `{"apiVersion":"v1","kind":%q,"metadata":{"labels":{"app.kubernetes.io/name":%q,"app.kubernetes.io/version":"%d"},"name":%q,"namespace":"fleet"},"spec":{"ports":[{"name":"http","port":80,"targetPort":8080}],"selector":{"app":%q},"template":{"spec":{"containers":[{"image":"registry.example.com/%s:%d","name":"web","resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"10m"}}}]}}}}`, kind, app, n, app, app, app, n)
		set.Objects = append(set.Objects, resource.Object{Key: resource.Key{Kind: kind, Namespace: "fleet", Name: app}, Spec: spec, Group: "0.1 config"})
	}
	return Record{App: app, Dir: "apps/" + app, Good: &set, Past: []Set{set}}
}

// BenchmarkClusterSave is what one save of an app with four objects and a full
// history costs, without the cluster.
func BenchmarkClusterSave(b *testing.B) {
	c, err := OpenCluster(b.Context(), ClusterOptions{Blobs: newMemory()})
	if err != nil {
		b.Fatal(err)
	}
	save := func(n int) {
		if _, err := c.SaveWith(fleet("shop", n), Entry{App: "shop", Kind: "sync", Reason: strconv.Itoa(n), Steps: []string{"put Deployment/fleet/shop", "await it"}}); err != nil {
			b.Fatal(err)
		}
	}
	for n := range clusterHistory {
		save(n)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		save(n)
	}
	s := c.shelves["shop"]
	b.ReportMetric(float64(len(s.now.record)+len(s.now.history)), "B/app")
}

// BenchmarkClusterOpen is what reading 1,000 apps of four objects each costs,
// without the cluster.
func BenchmarkClusterOpen(b *testing.B) {
	m := newMemory()
	c, err := OpenCluster(b.Context(), ClusterOptions{Blobs: m})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		app := fmt.Sprintf("app-%03d", i)
		if _, err := c.SaveWith(fleet(app, i), Entry{App: app, Kind: "sync"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := OpenCluster(b.Context(), ClusterOptions{Blobs: m}); err != nil {
			b.Fatal(err)
		}
	}
}
