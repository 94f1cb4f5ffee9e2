package metrics_test

import (
	"testing"

	"syncd.io/syncd/internal/metrics"
)

type shutters struct{}

func (shutters) AppWindows() (open, waiting map[string]bool) {
	return map[string]bool{"kitchen": false, "shop": true, "till": false}, map[string]bool{"till": true}
}

func TestAPageTellsOfWindows(t *testing.T) {
	h, err := metrics.Handler(metrics.OfWindows(shutters{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `syncd_app_window_open{app="kitchen"} 0
syncd_app_window_open{app="shop"} 1
syncd_app_window_open{app="till"} 0
syncd_app_window_waiting{app="kitchen"} 0
syncd_app_window_waiting{app="shop"} 0
syncd_app_window_waiting{app="till"} 1`
	if got := scrape(t, h); got != want {
		t.Errorf("the page says\n%s\n\nwant\n%s", got, want)
	}
}
