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
	engine      *Engine
	project     string
	workingDir  string
	configFiles []string

	mu      sync.Mutex
	adopted map[string]bool // container IDs that are ours without a label
	hooks   map[string]hooks
	once    map[resource.Key]bool
	wanted  map[resource.Key]resource.Object // of the last observation
	secrets []string                         // of the host
	// compared keeps what wanted containers are stored as: a pass without a new
	// revision works out nothing twice.
	compared map[resource.Key]memo
}

var (
	_ apply.Target   = (*Target)(nil)
	_ apply.Stopper  = (*Target)(nil)
	_ apply.Preparer = (*Target)(nil)
	_ apply.Watcher  = (*Target)(nil)
	_ apply.Evidence = (*Target)(nil)
)

// Target returns the target for one Compose project.
func (e *Engine) Target(project string) *Target {
	return &Target{
		engine: e, project: project,
		adopted: map[string]bool{}, hooks: map[string]hooks{}, once: map[resource.Key]bool{},
		wanted: map[resource.Key]resource.Object{}, compared: map[resource.Key]memo{},
	}
}

// From returns t with the directory and files that its containers' labels name
// as their source, for `docker compose ls` and for a way back to Compose.
func (t *Target) From(workingDir string, configFiles ...string) *Target {
	out := t.engine.Target(t.project)
	out.workingDir, out.configFiles = workingDir, configFiles
	return out
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

// mayTouch tells whether a container is ours by label or by adoption.
func (t *Target) mayTouch(f found) bool {
	return f.labels()[labelApp] == t.project && t.engine.made(f.labels()) || t.isAdopted(f.ID)
}

// made tells whether labels name this agent as the maker, or none in particular.
func (e *Engine) made(labels map[string]string) bool {
	maker := labels[labelAgent]
	return maker == "" || e.opts.Agent == "" || maker == e.opts.Agent
}

// maker says in words who made a container that is not ours.
func maker(labels map[string]string) string {
	switch {
	case labels[labelAgent] != "":
		return "another syncd (agent " + labels[labelAgent] + ") with a state directory of its own,"
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
