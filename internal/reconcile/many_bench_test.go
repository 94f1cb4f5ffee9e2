package reconcile_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// recalling is a record in memory, so that what is measured is no disk's.
type recalling struct {
	*state.Store // asked for nothing
	mu           sync.Mutex
	records      map[string]state.Record
}

func (r *recalling) Apps() ([]string, error) { return nil, nil }

func (r *recalling) Record(app string) (state.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, known := r.records[app]; known {
		return rec.Clone(), nil
	}
	return state.Record{App: app}, nil
}

func (r *recalling) Save(rec state.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records[rec.App] = rec.Clone()
	return nil
}

func (r *recalling) SaveWith(rec state.Record, _ ...state.Entry) (state.Entry, error) {
	return state.Entry{}, r.Save(rec)
}

// crowd is an engine with a target in memory for each app.
type crowd struct {
	mu      sync.Mutex
	targets map[string]*applytest.Memory
}

func (c *crowd) Target(app string) apply.Target {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.targets[app] == nil {
		c.targets[app] = applytest.NewMemory()
	}
	return c.targets[app]
}

// PruneImages makes it one that keeps images, as engines do.
func (c *crowd) PruneImages(context.Context, []string, []string) error { return nil }

// many are so many apps with two containers each, a host port and a name.
func many(n int, image string) map[string]appFiles {
	none := config.Duration(0)
	apps := map[string]appFiles{}
	for i := range n {
		spec := fmt.Sprintf(`"image":%q,"digest":"shop@sha256:%s"`, image, image)
		web := one("web", spec)
		web.Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: fmt.Sprintf("0.0.0.0:%d/tcp", 10000+i)}, {Kind: resource.ClaimName, Value: fmt.Sprintf("web-%d", i)}}
		apps[fmt.Sprintf("app-%04d", i)] = appFiles{
			objects: []resource.Object{web, one("db", spec)},
			config:  config.App{Rollout: config.Rollout{Soak: &none}},
		}
	}
	return apps
}

// BenchmarkOneCommitChangesManyApps is the agent's own share of a commit that changes
// each of a thousand apps: neither Git, nor renderer, nor engine, nor disk.
func BenchmarkOneCommitChangesManyApps(b *testing.B) {
	for _, n := range []int{250, 1000} {
		b.Run(fmt.Sprintf("%d apps", n), func(b *testing.B) {
			r := &repo{}
			agent, err := reconcile.New(reconcile.Options{
				Host: config.Host{}.Defaults(), Source: r, Renderer: r, Engine: &crowd{targets: map[string]*applytest.Memory{}},
				Store: &recalling{records: map[string]state.Record{}}, Mounts: state.Mounts{Dir: b.TempDir()}, Poll: time.Microsecond,
			})
			if err != nil {
				b.Fatal(err)
			}
			images := 0
			sync := func() {
				images++
				r.merge(many(n, fmt.Sprintf("v%d", images)))
				results, err := agent.Sync(b.Context(), reconcile.SyncRequest{}, nil)
				if err != nil || len(results) != n || results[n/2].Outcome != reconcile.Applied {
					b.Fatalf("%d results, one of them %s (%s), %v", len(results), results[n/2].Outcome, results[n/2].Reason, err)
				}
			}
			sync()
			runtime.GC()
			for b.Loop() {
				sync()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/app")
		})
	}
}
