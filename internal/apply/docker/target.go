package docker

import (
	"maps"
	"sync"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Target is one Compose project on an engine. It is safe for concurrent use by
// one pass at a time.
type Target struct {
	engine  *Engine
	project string

	routing sync.Mutex // held while a route's traffic changes

	mu      sync.Mutex
	adopted map[string]bool // container IDs that are ours without a label
	hooks   map[string]hooks
	once    map[resource.Key]bool
	wanted  map[resource.Key]resource.Object // of the last observation
	secrets []string                         // of the host
	// compared keeps what wanted containers are stored as: a pass without a new
	// revision works out nothing twice.
	compared map[resource.Key]memo
	// down are the containers that were down at the last look, as lookWell has them.
	down map[string]string
}

var (
	_ apply.Target   = (*Target)(nil)
	_ apply.Stopper  = (*Target)(nil)
	_ apply.Preparer = (*Target)(nil)
	_ apply.Evidence = (*Target)(nil)
	_ apply.Router   = (*Target)(nil)
)

// Target returns the target for one Compose project.
func (e *Engine) Target(project string) *Target {
	return &Target{
		engine: e, project: project,
		adopted: map[string]bool{}, hooks: map[string]hooks{}, once: map[resource.Key]bool{},
		wanted: map[resource.Key]resource.Object{}, compared: map[resource.Key]memo{},
	}
}

// remember keeps what later calls need of an observation: they get a key and a
// ref only.
func (t *Target) remember(want []resource.Object, owned apply.Owned) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.adopted)
	clear(t.once)
	clear(t.hooks)
	clear(t.wanted)
	t.secrets = owned.Secrets
	for _, ref := range owned.Adopted {
		t.adopted[ref.ID] = true
	}
	for _, o := range want {
		t.once[o.Key], t.wanted[o.Key] = o.Once, o
	}
	maps.DeleteFunc(t.compared, func(key resource.Key, _ memo) bool { _, wanted := t.once[key]; return !wanted })
}

// note keeps what is put, whatever was observed before.
func (t *Target) note(o resource.Object) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.once[o.Key], t.wanted[o.Key] = o.Once, o
}

func (t *Target) isAdopted(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.adopted[id]
}

func (t *Target) isOnce(key resource.Key, labels map[string]string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return labels[labelOnce] == "true" || t.once[key] && labels[labelApp] == ""
}

func (t *Target) mayTouch(s *snapshot, f found) bool {
	return s.mayTouch(f.labels(), t.engine.opts.Agent, t.isAdopted(f.ID))
}

// base tells whether a network or volume is ours to touch, and who made it where
// it is not. What a container stands on that is not ours is not, either.
func (t *Target) base(s *snapshot, labels map[string]string, stands func(found) bool) (ours bool, by string) {
	t.mu.Lock()
	adopted := len(t.adopted) > 0
	t.mu.Unlock()
	if !s.mayTouchBase(labels, t.engine.opts.Agent, adopted) {
		return false, maker(labels)
	}
	for _, f := range s.containers {
		if !t.mayTouch(s, f) && stands(f) {
			return false, maker(f.labels())
		}
	}
	return true, ""
}

// maker says in words who made a container that is not ours.
func maker(labels map[string]string) string {
	switch {
	case labels[labelAgent] != "":
		return "another syncd agent (state directory ID " + labels[labelAgent] + ")"
	case labels[labelComposeVer] != "":
		return "Docker Compose"
	default:
		return "something else"
	}
}

// keepHooks remembers the hooks of an adopted container, which has no label for
// them.
func (t *Target) keepHooks(id string, h hooks) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hooks[id] = h
}

func (t *Target) hooksFor(id string, labels map[string]string) hooks {
	t.mu.Lock()
	defer t.mu.Unlock()
	if labels[labelApp] == "" {
		return t.hooks[id]
	}
	return hooksOf(labels)
}
