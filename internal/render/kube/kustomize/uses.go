package kustomize

import (
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// use is a text of a kustomization that names a file or a directory.
type use struct {
	field []string // where it stands
	text  string
	kind  useKind
}

// useKind says what a text may name.
type useKind int

// The kinds of uses.
const (
	useResource  useKind = iota // a file of manifests, or a directory with a kustomization
	useComponent                // a directory with a kustomization
	useYAML                     // a file of YAML
	useFile                     // any file
	usePatch                    // a file of YAML, or a patch itself
	usePlugin                   // a file of a generator's or transformer's settings, or these themselves
)

// usesOf are all of them, in the order of the fields.
func usesOf(k types.Kustomization) []use {
	var out []use
	add := func(kind useKind, text string, field ...string) {
		if text != "" {
			out = append(out, use{field: field, text: text, kind: kind})
		}
	}
	list := func(kind useKind, field string, texts []string) {
		for i, text := range texts {
			add(kind, text, field, strconv.Itoa(i))
		}
	}
	list(useResource, "resources", k.Resources)
	list(useResource, "bases", k.Bases) //nolint:staticcheck // deprecated, and in use
	list(useComponent, "components", k.Components)
	list(useYAML, "crds", k.Crds)
	list(useYAML, "configurations", k.Configurations)
	add(useFile, k.OpenAPI["path"], "openapi", "path")
	for i, p := range k.PatchesStrategicMerge { //nolint:staticcheck // deprecated, and in use
		add(usePatch, string(p), "patchesStrategicMerge", strconv.Itoa(i))
	}
	for i, p := range k.PatchesJson6902 { //nolint:staticcheck // deprecated, and in use
		add(useYAML, p.Path, "patchesJson6902", strconv.Itoa(i), "path")
	}
	for i, p := range k.Patches {
		add(useYAML, p.Path, "patches", strconv.Itoa(i), "path")
	}
	for i, r := range k.Replacements {
		add(useYAML, r.Path, "replacements", strconv.Itoa(i), "path")
	}
	for i, g := range k.ConfigMapGenerator {
		out = append(out, generated(g.KvPairSources, "configMapGenerator", strconv.Itoa(i))...)
	}
	for i, g := range k.SecretGenerator {
		out = append(out, generated(g.KvPairSources, "secretGenerator", strconv.Itoa(i))...)
	}
	list(usePlugin, "generators", k.Generators)
	list(usePlugin, "transformers", k.Transformers)
	list(usePlugin, "validators", k.Validators)
	return out
}

// generated are the files of a generator.
func generated(sources types.KvPairSources, at ...string) []use {
	var out []use
	add := func(text string, field ...string) {
		out = append(out, use{field: append(append([]string{}, at...), field...), text: text, kind: useFile})
	}
	for i, source := range sources.FileSources {
		add(fileOf(source), "files", strconv.Itoa(i))
	}
	for i, source := range sources.EnvSources {
		add(source, "envs", strconv.Itoa(i))
	}
	if sources.EnvSource != "" {
		add(sources.EnvSource, "env")
	}
	return out
}

// fileOf is the path of KEY=PATH.
func fileOf(source string) string {
	if _, file, named := strings.Cut(source, "="); named {
		return file
	}
	return source
}
