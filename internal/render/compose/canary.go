package compose

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
)

// maxCanary is how long a canary may last.
const maxCanary = 24 * time.Hour

// canary is the trial that the service's new versions go through; nil without one.
func (a *app) canary(s types.ServiceConfig, order resource.Order) (*resource.Canary, error) {
	x, err := a.extension(s)
	if err == nil && x.Canary != nil && order == resource.StopFirst {
		err = a.reject(s.Name, xSyncdKey+".canary", "", "update_config.order is stop-first: no old version serves the rest")
	}
	return x.Canary, err
}

// canaryOf reads x-syncd.canary: {share: PERCENT, for: DURATION}, both required.
func canaryOf(value any) (*resource.Canary, error) {
	m, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is not a mapping of share and for", value)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key != "share" && key != "for" {
			return nil, fmt.Errorf("unknown key %s; it has share and for", key)
		}
	}
	share, ok := m["share"].(int)
	if !ok || share < 1 || share > 99 {
		return nil, fmt.Errorf("share %v is no percentage from 1 to 99", m["share"])
	}
	text, _ := m["for"].(string)
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > maxCanary {
		return nil, fmt.Errorf("for %v is no time between 1s and 24h, such as 10m", m["for"])
	}
	return &resource.Canary{Share: share, For: resource.Duration(d)}, nil
}
