package metrics

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// BenchmarkScrape is what a scrape of an agent with a thousand apps costs.
func BenchmarkScrape(b *testing.B) {
	var all shops
	for n := range 1000 {
		all = append(all, shop(fmt.Sprintf("app-%04d", n)))
	}
	engine := OfEngine()
	for n := range 25 {
		engine.Done("ok", time.Duration(n)*time.Millisecond, fmt.Sprintf("verb %d", n))
	}
	page, err := Handler(append(OfProcess("1"), OfApps(all), OfAgent(desk{Leads: true}), engine)...)
	if err != nil {
		b.Fatal(err)
	}
	var size int
	for b.Loop() {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil))
		size = w.Body.Len()
	}
	b.ReportMetric(float64(size), "bytes/page")
}
