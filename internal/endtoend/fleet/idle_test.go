package fleet_test

import (
	"cmp"
	"os"
	"strings"
	"testing"
	"time"
)

// idleEnv is for how long an idle agent is measured, such as 5m.
const idleEnv = "SYNCDTEST_IDLE"

// BenchmarkIdle4000 is what an agent costs that has nothing to do, with 1,000 apps of
// four objects: the share of a core, of its own and with its children, and requests
// besides watches for each minute.
func BenchmarkIdle4000(b *testing.B) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv(idleEnv), "1m"))
	if err != nil {
		b.Fatal(err)
	}
	const apps = 1000
	f := newFleet(b, apps, 0)
	f.start()
	f.await(1, "applied")
	f.commit("1")
	f.look()
	f.await(apps, "applied")
	f.rest()
	for b.Loop() {
		cpu, asked, begun := f.spent(), f.asked(), time.Now()
		f.idle(length)
		took, used := time.Since(begun), f.spent().since(cpu)
		b.ReportMetric(100*used.own.Seconds()/took.Seconds(), "own-%")
		b.ReportMetric(100*(used.own+used.children).Seconds()/took.Seconds(), "cpu-%")
		b.ReportMetric(float64(f.asked()-asked)/took.Minutes(), "requests/min")
		b.ReportMetric(f.rss("VmRSS"), "rss-MiB")
	}
}

// asked is how many requests there were, besides watches.
func (f *fleet) asked() int {
	f.Helper()
	total := 0
	for what, n := range f.requests() {
		if !strings.HasPrefix(what, "watch") {
			total += n
		}
	}
	return total
}

// idle lets so much time go by.
func (f *fleet) idle(length time.Duration) {
	f.Helper()
	timer := time.NewTimer(length)
	defer timer.Stop()
	<-timer.C
}
