package metrics_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/source"
)

type places []source.RemoteStatus

func (p places) Remotes() []source.RemoteStatus { return p }

func TestRemotesAreToldByTheirState(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	h, err := metrics.Handler(metrics.OfRemotes(places{
		{Name: "https://a/r", State: source.RemoteDiverged, Answered: at, Refused: map[source.RemoteState]uint64{source.RemoteDiverged: 2, source.RemoteUntrusted: 1}},
		{Name: "https://b/r", State: source.RemoteServing, Answered: at},
		{Name: "https://b/r", State: source.RemoteStandby}, // twice in the settings
		{Name: "/c", State: source.RemoteUnreachable},
	}))
	if err != nil {
		t.Fatal(err)
	}
	page := scrape(t, h)
	for _, want := range []string{
		`syncd_remote_state{remote="https://a/r",state="diverged"} 1`, `syncd_remote_state{remote="https://a/r",state="serving"} 0`,
		`syncd_remote_state{remote="https://b/r",state="serving"} 1`, `syncd_remote_state{remote="/c",state="unreachable"} 1`,
		`syncd_remote_answered_timestamp_seconds{remote="https://a/r"} 1.7e+09`,
		`syncd_remote_refused_total{cause="diverged",remote="https://a/r"} 2`, `syncd_remote_refused_total{cause="untrusted",remote="https://a/r"} 1`,
		`syncd_remote_refused_total{cause="stale",remote="https://a/r"} 0`, `syncd_remote_refused_total{cause="moved",remote="/c"} 0`,
	} {
		if !slices.Contains(strings.Split(page, "\n"), want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, `answered_timestamp_seconds{remote="/c"}`) || strings.Count(page, "} 1\n")+1 < 3 {
		t.Errorf("the page is\n%s", page)
	}
}
