package fleet_test

import (
	"testing"
	"time"
)

// BenchmarkFleet100 is 100 apps of four objects, BenchmarkFleet1000 is 1,000.
func BenchmarkFleet100(b *testing.B)  { story(b, 100, 0) }
func BenchmarkFleet1000(b *testing.B) { story(b, 1000, 0) }

// BenchmarkFleet100Pods is 100 apps that run a pod each.
func BenchmarkFleet100Pods(b *testing.B) { story(b, 100, 1) }

// story installs, looks again, changes every app, and mends what somebody changed.
func story(b *testing.B, apps, pods int) {
	f := newFleet(b, apps, pods)
	for b.Loop() {
		bare := f.bare()
		b.ReportMetric(bare.Seconds(), "bare-s")
		f.rest() // the cluster's controllers are busy with that for a while
		f.start()
		f.await(1, "applied")
		f.commit("1")
		install := f.measured("install", func() { f.look(); f.await(apps, "applied") })
		b.ReportMetric(install.Seconds()/bare.Seconds(), "install/bare")
		f.rest()
		f.measured("rest10s", f.rest)
		b.ReportMetric(f.rss("VmRSS"), "rss-MiB")
		b.ReportMetric(f.rss("VmHWM"), "rss-most-MiB")
		f.measured("noop", func() { f.run(f.syncd, "sync", "--config", f.dir+"/syncd.yaml") })
		f.commit("2")
		f.measured("change", func() { f.look(); f.await(apps, "applied") })
		f.rest()
		f.measured("drift", func() {
			f.must(f.send("PATCH", "/apis/apps/v1/namespaces/default/deployments/app-0007?fieldManager=kubectl-edit", "application/merge-patch+json", `{"spec":{"minReadySeconds":3,"template":{"spec":{"containers":[{"name":"app","image":"other:1"}]}}}}`))
			f.await(1, "applied")
		})
		b.ReportMetric(f.rss("VmRSS"), "rss-after-MiB")
	}
}

// rest lets what comes after a change come.
func (f *fleet) rest() {
	f.Helper()
	f.idle(10 * time.Second)
}
