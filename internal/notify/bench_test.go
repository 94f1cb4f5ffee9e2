package notify

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// BenchmarkBurst is a thousand apps that change at once: from the record to one
// message that is queued on disk.
func BenchmarkBurst(b *testing.B) {
	box, err := outbox.Open(filepath.Join(b.TempDir(), "notify.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer box.Close()
	facts := &record{}
	conf := confOf(config.Route{To: []string{"ops"}, Group: new(config.Duration)})
	n, err := New(Options{Notify: conf, Host: "prod-1", Box: box, Journal: facts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for i := range 1000 {
			facts.add(sync1(fmt.Sprint("app-", i), "applied", ""))
		}
		if _, err := n.turn(b.Context(), false); err != nil {
			b.Fatal(err)
		}
	}
	if l, err := box.Length(topicOf + "ops"); err != nil || l.Items == 0 {
		b.Fatalf("%+v wait (%v)", l, err)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/burst")
}
