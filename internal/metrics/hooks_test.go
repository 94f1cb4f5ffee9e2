package metrics_test

import (
	"testing"

	"syncd.io/syncd/internal/metrics"
)

type bells struct{}

func (bells) Accepted() map[string]uint64 { return map[string]uint64{"forge": 3, "ci": 0} }

func (bells) Refused() map[[2]string]uint64 {
	return map[[2]string]uint64{{"forge", "signature"}: 2, {"", "path"}: 1}
}

func TestAPageTellsOfWebhooks(t *testing.T) {
	h, err := metrics.Handler(metrics.OfHooks(bells{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `syncd_webhook_accepted_total{hook="ci"} 0
syncd_webhook_accepted_total{hook="forge"} 3
syncd_webhook_refused_total{hook="",reason="path"} 1
syncd_webhook_refused_total{hook="forge",reason="signature"} 2`
	if got := scrape(t, h); got != want {
		t.Errorf("the page says\n%s\n\nwant\n%s", got, want)
	}
}
