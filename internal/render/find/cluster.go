package find

import (
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/render"
)

// maxSniff is how many bytes of a file tell what it is.
const maxSniff = 64 << 10

// Kustomizations are the names that a kustomization is found by, the first one
// wins.
func Kustomizations() []string {
	return []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}
}

// Chart is what makes a chart of a directory.
const Chart = "Chart.yaml"

// OnlyForCluster tells whether a directory that has no Compose file is an app of a
// cluster, and none of an engine.
func (f *Find) OnlyForCluster(dir string, names Names) bool {
	settings := f.Repo.Head(path.Join(dir, Settings), maxSettings)
	if Says(settings, "compose") {
		return false
	}
	return Says(settings, "kubernetes") || f.Manifests(dir, names)
}

// ForCluster tells whether a directory is an app of a cluster: its settings say
// so, or it holds a kustomization, a chart or a manifest, and no Compose file.
func (f *Find) ForCluster(dir string, names Names) bool {
	if names[Settings] {
		settings := f.Repo.Head(path.Join(dir, Settings), maxSettings)
		if Says(settings, "kubernetes") {
			return true
		}
		if Says(settings, "compose") {
			return false
		}
	}
	return names.First(render.ComposeFiles()...) == "" && f.Manifests(dir, names)
}

// Manifests tells whether a directory holds a kustomization, a chart or a
// manifest. One that was not written is taken for what its name says.
func (f *Find) Manifests(dir string, names Names) bool {
	if names.First(append(Kustomizations(), Chart)...) != "" {
		return true
	}
	for name, file := range names {
		if !file || !ManifestName(name) {
			continue
		}
		p := path.Join(dir, name)
		if slices.Contains(f.refused[dir], name) || IsManifest(f.Repo.Head(p, maxSniff)) {
			return true
		}
	}
	return false
}

// ManifestName tells whether a file's name is that of a manifest. What begins with
// a dot is the tools' own.
func ManifestName(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}

// IsManifest tells from the beginning of a file whether its first document has
// apiVersion and kind.
func IsManifest(text string) bool {
	text = strings.TrimPrefix(text, "\ufeff")
	for doc := range documents(text) {
		if blank(doc) {
			continue
		}
		return Says(doc, "apiVersion") && Says(doc, "kind")
	}
	return false
}

// documents splits a stream of YAML documents.
func documents(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		from := 0
		for at := 0; at < len(text); {
			line, _, _ := strings.Cut(text[at:], "\n")
			if rest, ok := strings.CutPrefix(line, "---"); ok && strings.TrimLeft(rest, " \t\r") != rest || line == "---" {
				if !yield(text[from:at]) {
					return
				}
				from = at + 3
			}
			at += len(line) + 1
		}
		yield(text[from:])
	}
}

// blank tells whether a document holds nothing but comments.
func blank(doc string) bool {
	for line := range strings.Lines(doc) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// Says tells whether a document's first level has a key. One that is broken, or
// cut off, is judged by how its lines begin.
func Says(text, key string) bool {
	if !strings.Contains(text, key) {
		return false
	}
	flow := strings.HasPrefix(strings.TrimSpace(text), "{")
	if flow {
		if found, whole := flowKey(text, key); whole {
			return found
		}
	}
	for line := range strings.Lines(text) {
		if flow {
			line = strings.TrimLeft(line, " \t{")
		}
		rest, found := strings.CutPrefix(strings.TrimLeft(line, `"'`), key)
		if found && strings.HasPrefix(strings.TrimLeft(rest, "\"' \t"), ":") {
			return true
		}
	}
	return false
}
