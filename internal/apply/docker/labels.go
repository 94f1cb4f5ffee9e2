package docker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// Compose's labels: with them `docker compose ps, logs, exec` find what we run,
// and we find what Compose runs.
const (
	composePrefix      = "com.docker.compose."
	labelProject       = composePrefix + "project"
	labelService       = composePrefix + "service"
	labelNumber        = composePrefix + "container-number"
	labelOneoff        = composePrefix + "oneoff"
	labelConfigHash    = composePrefix + "config-hash"
	labelDependsOn     = composePrefix + "depends_on"
	labelImage         = composePrefix + "image" // the image's ID
	labelComposeVer    = composePrefix + "version"
	labelWorkingDir    = composePrefix + "project.working_dir"
	labelConfigFiles   = composePrefix + "project.config_files"
	labelNetwork       = composePrefix + "network"
	labelVolume        = composePrefix + "volume"
	composeVersionLike = "2.0.0-syncd"
)

// Our own labels.
const (
	ownPrefix     = "io.syncd."
	labelApp      = ownPrefix + "app"
	labelAgent    = ownPrefix + "agent" // whose state directory knows it
	labelHash     = ownPrefix + "hash"
	labelSlot     = ownPrefix + "slot"
	labelRef      = ownPrefix + "image" // the image as the user wrote it
	labelOnce     = ownPrefix + "once"
	labelDeclared = ownPrefix + "declared"
	labelHooks    = ownPrefix + "hooks"
	labelDrain    = ownPrefix + "drain" // for when nothing wants the service any more
	labelVersion  = ownPrefix + "version"
	labelCheck    = ownPrefix + "check"
	labelGate     = ownPrefix + "gate" // SERVICE/NAME of the route that a gate serves
)

// enginePrefix is what Docker Desktop's engine adds to containers.
const enginePrefix = "desktop.docker.io/"

// ownLabels returns the user's own labels.
func ownLabels(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	maps.DeleteFunc(out, func(key, _ string) bool {
		return strings.HasPrefix(key, composePrefix) || strings.HasPrefix(key, ownPrefix) || strings.HasPrefix(key, enginePrefix)
	})
	return out
}

// slotOf returns the container slot that labels name; ok is false where they
// name none.
func slotOf(labels map[string]string) (resource.Key, bool) {
	service, number := labels[labelService], labels[labelNumber]
	if service == "" || number == "" {
		return resource.Key{}, false
	}
	return slotKey(service, number), true
}

func slotKey(service, number string) resource.Key {
	return resource.Key{Kind: spec.KindContainer, Namespace: service, Name: number}
}

// containerLabels are the labels of the container that o becomes.
func (t *Target) containerLabels(o resource.Object, c spec.Container) (map[string]string, error) {
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	t.commonLabels(labels, o)
	labels[labelService], labels[labelNumber], labels[labelOneoff] = c.Service, strconv.Itoa(c.Number), "False"
	labels[labelConfigHash] = o.Hash()
	labels[labelDependsOn] = dependsOn(o.Needs)
	labels[labelImage], labels[labelRef] = c.Pin, c.Image
	labels[labelDeclared] = joinNames(declared(c))
	if o.Once {
		labels[labelOnce] = "true"
	}
	if c.Drain > 0 {
		labels[labelDrain] = c.Drain.String()
	}
	return labels, putHooks(labels, c)
}

// inherit adds what the project's containers say of where it came from: for
// `docker compose ls`, and for a way back to Compose.
func (s *snapshot) inherit(labels map[string]string) {
	i := slices.IndexFunc(s.containers, func(f found) bool { return f.labels()[labelWorkingDir] != "" })
	if i < 0 {
		return
	}
	for _, name := range []string{labelWorkingDir, labelConfigFiles} {
		if value := s.containers[i].labels()[name]; value != "" {
			labels[name] = value
		}
	}
}

// commonLabels are those of everything that we make.
func (t *Target) commonLabels(labels map[string]string, o resource.Object) {
	labels[labelProject], labels[labelComposeVer] = t.project, composeVersionLike
	labels[labelApp], labels[labelHash], labels[labelSlot] = t.project, o.Hash(), o.Key.String()
	if id := t.engine.opts.Agent; id != "" {
		labels[labelAgent] = id
	}
	if v := t.engine.opts.Version; v != "" {
		labels[labelVersion] = v
	}
}

// dependsOn is Compose's own encoding: service:condition:restart,…
func dependsOn(needs []resource.Need) string {
	words := map[resource.Condition]string{
		resource.Started: "service_started", resource.Healthy: "service_healthy",
		resource.Completed: "service_completed_successfully",
	}
	var out []string
	for _, n := range needs {
		out = append(out, fmt.Sprintf("%s:%s:%t", n.Group, words[n.Condition], n.OnReplace != resource.OnReplaceNothing))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// hooks are what the engine itself keeps no place for.
type hooks struct {
	PostStart []spec.Hook `json:"post_start,omitempty"`
	PreStop   []spec.Hook `json:"pre_stop,omitempty"`
}

func putHooks(labels map[string]string, c spec.Container) error {
	if len(c.PostStart) == 0 && len(c.PreStop) == 0 {
		return nil
	}
	text, err := json.Marshal(hooks{PostStart: c.PostStart, PreStop: c.PreStop})
	if err != nil {
		return fmt.Errorf("write lifecycle hooks: %w", err)
	}
	labels[labelHooks] = string(text)
	return nil
}

// hooksOf reads the hooks from a container's labels; a broken label has none,
// which is then a difference that brings a new instance.
func hooksOf(labels map[string]string) hooks {
	var h hooks
	if err := json.Unmarshal([]byte(labels[labelHooks]), &h); err != nil {
		return hooks{}
	}
	return h
}
