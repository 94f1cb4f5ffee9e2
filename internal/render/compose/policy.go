package compose

import (
	"math"
	"strconv"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
)

// policies are how the service rolls out and how it rolls back.
func (a *app) policies(s types.ServiceConfig) (rollout, rollback resource.Policy, err error) {
	var update, back *types.UpdateConfig
	if s.Deploy != nil {
		update, back = s.Deploy.UpdateConfig, s.Deploy.RollbackConfig
	}
	if rollout, err = a.policy(s.Name, "deploy.update_config", update, resource.ActionRollback); err != nil {
		return rollout, rollback, err
	}
	if rollback, err = a.policy(s.Name, "deploy.rollback_config", back, resource.ActionPause); err != nil {
		return rollout, rollback, err
	}
	if rollback.FailureAction == resource.ActionRollback {
		return rollout, rollback, a.reject(s.Name, "deploy.rollback_config.failure_action", "pause or continue", "a rollback is never rolled back")
	}
	rollout.Ready = a.ready(s)
	rollback.Ready = rollout.Ready
	return rollout, rollback, nil
}

func (a *app) policy(service, field string, u *types.UpdateConfig, action resource.FailureAction) (resource.Policy, error) {
	p := resource.Policy{Parallelism: 1, FailureAction: action}
	if u == nil {
		return p, nil
	}
	if u.Parallelism != nil {
		if *u.Parallelism > maxReplicas {
			return p, a.reject(service, field+".parallelism", "", "%d is more than %d", *u.Parallelism, maxReplicas)
		}
		p.Parallelism = int(*u.Parallelism)
	}
	p.Delay, p.Monitor = time.Duration(u.Delay), time.Duration(u.Monitor)
	p.MaxFailureRatio = decimal(u.MaxFailureRatio)
	p.Order = resource.Order(u.Order)
	if u.FailureAction != "" {
		p.FailureAction = resource.FailureAction(u.FailureAction)
	}
	switch {
	case p.Delay < 0:
		return p, a.reject(service, field+".delay", "", "%s is negative", p.Delay)
	case p.Monitor < 0:
		return p, a.reject(service, field+".monitor", "", "%s is negative", p.Monitor)
	case p.MaxFailureRatio < 0 || p.MaxFailureRatio > 1 || math.IsNaN(p.MaxFailureRatio):
		return p, a.reject(service, field+".max_failure_ratio", "", "%v is not between 0 and 1", p.MaxFailureRatio)
	}
	switch p.Order {
	case resource.OrderAuto, resource.StartFirst, resource.StopFirst:
	default:
		return p, a.reject(service, field+".order", "", "%q is neither start-first nor stop-first", u.Order)
	}
	switch p.FailureAction {
	case resource.ActionRollback, resource.ActionPause, resource.ActionContinue:
	default:
		return p, a.reject(service, field+".failure_action", "", "%q is none of rollback, pause, continue", u.FailureAction)
	}
	return p, nil
}

// decimal is the number that the user wrote and compose-go keeps in 32 bits.
func decimal(f float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'f', -1, 32), 64)
	if err != nil { // NaN and infinities, which the caller rejects
		return math.NaN()
	}
	return d
}

// ready is how long an instance may take from start to healthy.
func (a *app) ready(s types.ServiceConfig) time.Duration {
	timeout := a.req.App.Config.Rollout.Timeout.D()
	if a.once[s.Name] || !checked(s.HealthCheck) {
		return timeout
	}
	if timeout == 0 {
		timeout = defaultReady
	}
	return max(timeout, probing(s.HealthCheck))
}
