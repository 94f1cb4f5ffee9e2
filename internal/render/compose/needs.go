package compose

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// needs are what a service waits for, and the slots that its spec refers to.
type needs struct {
	list []resource.Need
	refs []resource.Key
}

// needs reads depends_on, in which compose-go has already put what links and
// namespaces imply, and makes a new instance follow where a shared namespace or
// a volume's owner is replaced.
func (a *app) needs(s types.ServiceConfig) (needs, error) {
	var out needs
	shared := a.sharedWith(s)
	for _, on := range slices.Sorted(maps.Keys(s.DependsOn)) {
		need, ok, err := a.need(s, on, shared[on])
		if err != nil {
			return out, err
		}
		if ok {
			out.list = append(out.list, need)
		}
	}
	for _, on := range slices.Sorted(maps.Keys(shared)) {
		if err := a.shareable(s, on, shared[on]); err != nil {
			return out, err
		}
		out.refs = append(out.refs, resource.Key{Kind: spec.KindContainer, Namespace: on, Name: "1"})
	}
	out.refs = append(out.refs, a.networkRefs(s)...)
	return out, nil
}

// networkRefs are the networks that the service is on: one that is made anew
// takes its containers with it.
func (a *app) networkRefs(s types.ServiceConfig) []resource.Key {
	var out []resource.Key
	for _, key := range slices.Sorted(maps.Keys(s.Networks)) {
		out = append(out, resource.Key{Kind: spec.KindNetwork, Name: key})
	}
	return out
}

func (a *app) need(s types.ServiceConfig, on, shared string) (resource.Need, bool, error) {
	d := s.DependsOn[on]
	need := resource.Need{Group: on, Condition: condition(d.Condition), Required: d.Required || shared != ""}
	switch {
	case shared != "":
		need.OnReplace = resource.OnReplaceRecreate
	case d.Restart:
		need.OnReplace = resource.OnReplaceRestart
	}
	other, ok := a.project.Services[on]
	switch {
	case !ok && !need.Required:
		return need, false, nil
	case !ok:
		return need, false, a.reject(s.Name, "depends_on."+on, "", "there is no service %s", on)
	case a.replicas(other) > 0:
		return need, true, nil
	case need.Required:
		return need, false, a.reject(s.Name, "depends_on."+on, "", "%s has 0 replicas", on)
	}
	return need, false, nil
}

func condition(c string) resource.Condition {
	switch c {
	case types.ServiceConditionHealthy:
		return resource.Healthy
	case types.ServiceConditionCompletedSuccessfully:
		return resource.Completed
	default:
		return resource.Started
	}
}

// sharedWith maps the services whose namespaces or volumes s uses to the field
// that says so.
func (a *app) sharedWith(s types.ServiceConfig) map[string]string {
	out := map[string]string{}
	for _, v := range s.VolumesFrom {
		if !strings.HasPrefix(v, types.ContainerPrefix) {
			name, _, _ := strings.Cut(strings.TrimPrefix(v, types.ServicePrefix), ":")
			out[name] = "volumes_from"
		}
	}
	for field, mode := range map[string]string{"ipc": s.Ipc, "pid": s.Pid, "network_mode": s.NetworkMode} {
		if name, ok := strings.CutPrefix(mode, types.ServicePrefix); ok {
			out[name] = max(out[name], field)
		}
	}
	return out
}

func (a *app) shareable(s types.ServiceConfig, on, field string) error {
	other, ok := a.project.Services[on]
	switch {
	case !ok:
		return a.reject(s.Name, field, "", "there is no service %s", on)
	case on == s.Name:
		return a.reject(s.Name, field, "", "the service refers to itself")
	case a.replicas(other) == 0:
		return a.reject(s.Name, field, "", "%s has 0 replicas", on)
	}
	return nil
}
