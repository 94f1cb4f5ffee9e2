package compose

import (
	"math"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/spec"
)

// restart merges restart and deploy.restart_policy, which wins, as in Compose.
func (a *app) restart(s types.ServiceConfig) (spec.RestartPolicy, error) {
	if a.once[s.Name] {
		if s.Restart != "" && s.Restart != types.RestartPolicyNo {
			a.noteField(s.Name, "restart", "ignored: a one-shot runs once")
		}
		return spec.RestartPolicy{Name: types.RestartPolicyNo}, nil
	}
	if s.Deploy != nil && s.Deploy.RestartPolicy != nil {
		return a.restartPolicy(s)
	}
	name, count, limited := strings.Cut(s.Restart, ":")
	p := spec.RestartPolicy{Name: name}
	switch name {
	case "":
		p.Name = types.RestartPolicyNo
	case types.RestartPolicyNo, types.RestartPolicyAlways, types.RestartPolicyUnlessStopped, types.RestartPolicyOnFailure:
	default:
		return p, a.reject(s.Name, "restart", "", "%q is none of no, always, unless-stopped, on-failure, on-failure:TIMES", s.Restart)
	}
	if !limited {
		return p, nil
	}
	times, err := strconv.Atoi(count)
	if err != nil || times < 0 || name != types.RestartPolicyOnFailure {
		return p, a.reject(s.Name, "restart", "", "%q: only on-failure takes a number of times", s.Restart)
	}
	p.MaxRetries = times
	return p, nil
}

func (a *app) restartPolicy(s types.ServiceConfig) (spec.RestartPolicy, error) {
	r, field := s.Deploy.RestartPolicy, "deploy.restart_policy"
	var p spec.RestartPolicy
	switch r.Condition {
	case "", "any", types.RestartPolicyAlways:
		p.Name = types.RestartPolicyAlways
	case "none", types.RestartPolicyNo:
		p.Name = types.RestartPolicyNo
	case types.RestartPolicyOnFailure, types.RestartPolicyUnlessStopped:
		p.Name = r.Condition
	default:
		return p, a.reject(s.Name, field+".condition", "", "%q is none of none, on-failure, any", r.Condition)
	}
	if r.MaxAttempts != nil && *r.MaxAttempts > 0 {
		if p.Name != types.RestartPolicyOnFailure || *r.MaxAttempts > math.MaxInt32 {
			return p, a.reject(s.Name, field+".max_attempts", "say `condition: on-failure`", "the engine counts attempts with on-failure only")
		}
		p.MaxRetries = int(*r.MaxAttempts)
	}
	if s.Restart != "" {
		a.noteField(s.Name, "restart", "ignored: deploy.restart_policy says otherwise")
	}
	if r.Delay != nil {
		a.noteField(s.Name, field+".delay", "ignored: the engine has its own, growing delay")
	}
	if r.Window != nil {
		a.noteField(s.Name, field+".window", "ignored: the engine has its own")
	}
	return p, nil
}
