package docker

import (
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/config"
)

// What an image of 128 MiB in two layers costs: pulled by the engine, and loaded from a
// mirror by the agent, of which the peak of its heap is told, too.
func BenchmarkImage(b *testing.B) {
	f := newFixture(b)
	m, repo := newMirror(b), dockertest.Name()
	b.Setenv("DOCKER_CONFIG", b.TempDir())
	f.mirrors(nowhereland, config.RegistryMirror{Endpoint: []string{"http://" + m.address}})
	for way, ref := range map[string]string{"pulled by the engine": m.address + "/" + repo, "loaded from a mirror": nowhereland + "/" + repo} {
		b.Run(way, func(b *testing.B) {
			var peak uint64
			for n := range b.N {
				b.StopTimer()
				tag := ":v" + strconv.Itoa(n)
				large(b, m.address+"/"+repo+tag)
				runtime.GC()
				b.StartTimer()
				ended := heap(&peak)
				if err := f.engine.obtain(b.Context(), ref+tag, "", ""); err != nil {
					b.Fatal(err)
				}
				ended()
				b.StopTimer()
				if _, err := f.api.ImageRemove(b.Context(), dockertest.ImageID(b, ref+tag), image.RemoveOptions{Force: true}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(peak)/(1<<20), "MiB-more")
		})
	}
}

// heap watches how much more the heap has than now, until it is told to end.
func heap(peak *uint64) func() {
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	end, ended := make(chan struct{}), sync.WaitGroup{}
	ended.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				var now runtime.MemStats
				if runtime.ReadMemStats(&now); now.HeapInuse > before.HeapInuse {
					*peak = max(*peak, now.HeapInuse-before.HeapInuse)
				}
			}
		}
	})
	return func() { close(end); ended.Wait() }
}

// large pushes an image that nobody has.
func large(b *testing.B, ref string) {
	b.Helper()
	img, err := random.Image(64<<20, 2)
	if err != nil {
		b.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		b.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	if img, err = mutate.ConfigFile(img, file); err != nil {
		b.Fatal(err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		b.Fatal(err)
	}
	if err := remote.Write(tag, img); err != nil {
		b.Fatal(err)
	}
}
