package resource_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"syncd.io/syncd/internal/resource"
)

func TestDurationIsAStringOfSecondsInJSON(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: `"0s"`, 1200 * time.Millisecond: `"1.2s"`, 125 * time.Second: `"125s"`, 46244619 * time.Nanosecond: `"0.046244619s"`,
		time.Nanosecond: `"0.000000001s"`, 1000 * time.Hour: `"3600000s"`, -time.Second: `"-1s"`,
		19739338600735: `"19739.338600735s"`, 558630382161: `"558.630382161s"`, // which no float has
		-time.Millisecond: `"-0.001s"`, math.MinInt64: `"-9223372036.854775808s"`,
	} {
		got, err := json.Marshal(resource.Duration(d))
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v; want %s", d, got, err, want)
		}
		var back resource.Duration
		if err := json.Unmarshal(got, &back); err != nil || back.D() != d {
			t.Errorf("%s comes back as %s, %v", d, back, err)
		}
	}
}

func TestDurationReadsWhatOlderOnesWrote(t *testing.T) {
	for text, want := range map[string]time.Duration{`3000000000`: 3 * time.Second, `"2m5s"`: 125 * time.Second, `0`: 0} {
		var d resource.Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.D() != want {
			t.Errorf("%s is %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{`"soon"`, `{}`, `"5"`, `1.5`} {
		var d resource.Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s was read as %s", text, d)
		}
	}
}

func TestDurationOfNothingIsLeftOut(t *testing.T) {
	got, err := json.Marshal(struct {
		Took resource.Duration `json:"took,omitempty"`
	}{})
	if err != nil || string(got) != "{}" {
		t.Errorf("got %s, %v", got, err)
	}
}
