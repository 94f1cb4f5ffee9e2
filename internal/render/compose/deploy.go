package compose

import (
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
)

// defaultReady is how long an instance with a healthcheck may take where
// neither rollout.timeout nor the healthcheck says more.
const defaultReady = time.Minute

// replicas is how many slots the service has.
func (a *app) replicas(s types.ServiceConfig) int {
	if s.Deploy != nil && s.Deploy.Mode == "global" {
		return 1 // one instance on every engine, and there is one engine
	}
	return s.GetScale()
}

func replicaField(s types.ServiceConfig) string {
	if s.Scale != nil {
		return "scale"
	}
	return "deploy.replicas"
}

func explicitOrder(s types.ServiceConfig) resource.Order {
	if s.Deploy == nil || s.Deploy.UpdateConfig == nil {
		return resource.OrderAuto
	}
	return resource.Order(s.Deploy.UpdateConfig.Order)
}

// deploy checks what a single engine makes of deploy, and says what it ignores.
func (a *app) deploy(s types.ServiceConfig) error {
	d := s.Deploy
	if d == nil {
		return nil
	}
	switch d.Mode {
	case "", "replicated":
	case "global":
		if d.Replicas != nil && *d.Replicas != 1 {
			return a.reject(s.Name, "deploy.replicas", "", "global means one instance on this engine, not %d", *d.Replicas)
		}
	default:
		return a.reject(s.Name, "deploy.mode", "mark a one-shot with `x-syncd: {job: true}`", "%s is not supported; replicated and global are", d.Mode)
	}
	for _, f := range []struct {
		field string
		said  bool
	}{
		{"deploy.labels", len(d.Labels) > 0},
		{"deploy.placement", len(d.Placement.Constraints)+len(d.Placement.Preferences) > 0 || d.Placement.MaxReplicas > 0},
		{"deploy.endpoint_mode", d.EndpointMode != ""},
	} {
		if f.said {
			a.noteField(s.Name, f.field, "ignored: it is for a cluster, and this is one engine")
		}
	}
	return nil
}
