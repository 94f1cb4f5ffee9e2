package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/distribution/reference"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// service makes the objects of one service: its slots and its routes.
func (a *app) service(s types.ServiceConfig) ([]resource.Object, error) {
	if err := a.unsupported(s); err != nil {
		return nil, err
	}
	a.ignored(s)
	if err := a.deploy(s); err != nil {
		return nil, err
	}
	c, err := a.container(s)
	if err != nil {
		return nil, err
	}
	routes, err := a.routes(s, &c)
	if err != nil {
		return nil, err
	}
	proto, err := a.prototype(s, c)
	if err != nil {
		return nil, err
	}
	if err := a.alone(s, proto); err != nil {
		return nil, err
	}
	out := make([]resource.Object, 0, a.replicas(s))
	for n := 1; n <= a.replicas(s); n++ {
		o, err := a.slot(s, c, proto, n)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return append(out, routes...), nil
}

// prototype is what all slots of a service have in common.
func (a *app) prototype(s types.ServiceConfig, c spec.Container) (resource.Object, error) {
	needs, err := a.needs(s)
	if err != nil {
		return resource.Object{}, err
	}
	o := resource.Object{
		Group: s.Name, Needs: needs.list, Refs: needs.refs, Claims: a.claims(s, c),
		Once: a.once[s.Name], Job: a.jobs[s.Name],
	}
	if o.Policy, o.Rollback, err = a.policies(s); err != nil {
		return o, err
	}
	o.Policy.Canary, err = a.canary(s, o.Policy.Order)
	return o, err
}

// alone rejects replicas that could never live side by side.
func (a *app) alone(s types.ServiceConfig, proto resource.Object) error {
	if a.replicas(s) < 2 {
		return nil
	}
	for _, c := range proto.Claims {
		switch c.Kind {
		case resource.ClaimPort:
			hint := "publish a range such as 8080-8089, or no fixed port"
			if strings.HasSuffix(c.Value, "/tcp") {
				hint += "; a gate can share it: x-syncd: {gate: tcp}"
			}
			return a.reject(s.Name, "ports", hint, "%d replicas cannot share %s", a.replicas(s), c.Value)
		case resource.ClaimAddress:
			return a.reject(s.Name, "networks", "", "%d replicas cannot share the address %s", a.replicas(s), c.Value)
		case resource.ClaimName:
			return a.reject(s.Name, "container_name", "", "%d replicas cannot share the name %s", a.replicas(s), c.Value)
		}
	}
	return nil
}

func (a *app) slot(s types.ServiceConfig, c spec.Container, proto resource.Object, number int) (resource.Object, error) {
	o := proto
	o.Key = resource.Key{Kind: spec.KindContainer, Namespace: s.Name, Name: strconv.Itoa(number)}
	c.Number = number
	if c.Name = s.ContainerName; c.Name == "" {
		c.Name = fmt.Sprintf("%s-%s-%d", a.project.Name, s.Name, number)
	}
	if other, ok := a.names[c.Name]; ok {
		return o, a.reject(s.Name, "container_name", "", "the service %s has a container called %s too", other, c.Name)
	}
	a.names[c.Name] = s.Name
	o.Claims = slices.Concat(proto.Claims, a.crowded(s, c, proto.Policy.Parallelism))
	return a.encode(o, c)
}

// encode puts the spec into the object and marks what is secret in it.
func (a *app) encode(o resource.Object, typed any) (resource.Object, error) {
	raw, err := resource.Canonical(typed)
	if err != nil {
		return o, fmt.Errorf("encode %s: %w", o.Key, err)
	}
	o.Spec = raw
	o.Sensitive, err = sensitiveIn(raw, a.secrets())
	return o, err
}

// container maps everything but the slot's number.
func (a *app) container(s types.ServiceConfig) (spec.Container, error) {
	c := spec.Container{
		Project: a.project.Name, Service: s.Name, Image: s.Image, Platform: s.Platform,
		Command: []string(s.Command), Entrypoint: []string(s.Entrypoint),
		WorkingDir: s.WorkingDir, User: s.User, GroupAdd: set(s.GroupAdd),
		Hostname: s.Hostname, DomainName: s.DomainName, MacAddress: s.MacAddress,
		TTY: s.Tty, StdinOpen: s.StdinOpen, Init: s.Init, Annotations: filled(s.Annotations),
		DNS: list(s.DNS), DNSOptions: list(s.DNSOpts), DNSSearch: list(s.DNSSearch),
		ExtraHosts: set(s.ExtraHosts.AsList(":")), Links: links(s.Links),
		StopSignal: s.StopSignal, Runtime: s.Runtime,
		Security: security(s), PostStart: a.hooks(s.PostStart), PreStop: a.hooks(s.PreStop),
	}
	if s.StopGracePeriod != nil {
		grace := time.Duration(*s.StopGracePeriod)
		c.StopGrace = &grace
	}
	if s.Logging != nil {
		c.Logging = &spec.Logging{Driver: s.Logging.Driver, Options: filled(s.Logging.Options)}
	}
	return c, a.fill(s, &c)
}

// fill maps what can be wrong.
func (a *app) fill(s types.ServiceConfig, c *spec.Container) error {
	for _, step := range []func(types.ServiceConfig, *spec.Container) error{
		a.named, a.environmentOf, a.labelsOf, a.published, a.attached, a.mounted, a.limited,
		func(s types.ServiceConfig, c *spec.Container) (err error) { c.Restart, err = a.restart(s); return err },
		func(s types.ServiceConfig, c *spec.Container) (err error) {
			c.Healthcheck, err = a.healthcheck(s)
			return err
		},
	} {
		if err := step(s, c); err != nil {
			return err
		}
	}
	return nil
}

// named checks the names of image and container, and the pull policy.
func (a *app) named(s types.ServiceConfig, c *spec.Container) error {
	if _, err := reference.ParseDockerRef(s.Image); err != nil && !imageID(s.Image) {
		return a.reject(s.Name, "image", "write it as NAME:TAG, in small letters", "%q: %w", s.Image, err)
	}
	if s.ContainerName != "" && !regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`).MatchString(s.ContainerName) {
		return a.reject(s.Name, "container_name", "letters, digits, _ . - and at least two of them", "%q is no name that the engine takes", s.ContainerName)
	}
	if s.StopGracePeriod != nil && *s.StopGracePeriod < 0 {
		return a.reject(s.Name, "stop_grace_period", "", "%s is negative", s.StopGracePeriod)
	}
	switch s.PullPolicy {
	case "", types.PullPolicyMissing, types.PullPolicyIfNotPresent:
	case types.PullPolicyAlways, types.PullPolicyNever:
		c.PullPolicy = s.PullPolicy
	default:
		return a.reject(s.Name, "pull_policy", "a tag is resolved once per revision; use missing, always or never", "%s is not supported", s.PullPolicy)
	}
	return nil
}

// imageID tells whether an image is named by its ID, as the engine allows.
func imageID(image string) bool {
	return regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`).MatchString(image)
}

// links says every link as service:alias.
func links(l []string) []string {
	var out []string
	for _, link := range l {
		service, alias, ok := strings.Cut(link, ":")
		if !ok {
			alias = service
		}
		out = append(out, service+":"+alias)
	}
	return set(out)
}

// hooks maps commands of a container's life; their environment is that of the
// service, in the same words.
func (a *app) hooks(list []types.ServiceHook) []spec.Hook {
	var out []spec.Hook
	for _, h := range list {
		h.Environment = h.Environment.Resolve(func(name string) (string, bool) {
			v, ok := a.env[name]
			a.variables.note(name)
			return v, ok
		})
		out = append(out, spec.Hook{
			Command: []string(h.Command), User: h.User, Privileged: h.Privileged,
			WorkingDir: h.WorkingDir, Environment: filled(h.Environment.ToMapping()),
		})
	}
	return out
}

// filled returns nil for an empty map, so that nothing and none are the same.
func filled[M ~map[string]string](m M) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// list returns nil for an empty list.
func list(l []string) []string {
	if len(l) == 0 {
		return nil
	}
	return l
}

// set sorts a list whose order means nothing, and drops what is there twice.
func set(l []string) []string {
	if len(l) == 0 {
		return nil
	}
	out := slices.Clone(l)
	slices.Sort(out)
	return slices.Compact(out)
}
