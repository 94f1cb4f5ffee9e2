package kustomize

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/krusty"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/render/syntax"
)

// plugin checks the settings of a generator, transformer or validator: only what is
// built into kustomize is run, and only on files of the repository.
func (c *checker) plugin(k kustomization, u use, file string, data []byte) error {
	docs, err := syntax.Documents(file, data)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return k.reject(u.field, "", "%.200s: holds nothing", u.text)
	}
	for _, d := range docs {
		if err := c.pluginOf(k, u, d.Root); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) pluginOf(k kustomization, u use, root *yaml.Node) error {
	apiVersion, kind := scalar(root, "apiVersion"), scalar(root, "kind")
	_, metadata := syntax.Child(root, "metadata")
	_, annotations := syntax.Child(metadata, "annotations")
	for _, name := range []string{"config.kubernetes.io/function", "config.k8s.io/function"} {
		if _, value := syntax.Child(annotations, name); value != nil {
			return k.reject(u.field, "", "%s: a function in a container or a program is not run", kind)
		}
	}
	switch {
	case kind == "HelmChartInflationGenerator":
		return k.reject(u.field, "a chart is an app of its own: see `kubernetes.helm` of .syncd.yaml", "%s: kustomize would run helm, which fetches charts", kind)
	case apiVersion != "builtin" || !slices.Contains(krusty.GetBuiltinPluginNames(), kind):
		return k.reject(u.field, "", "%s %s: plugins are not run, only what is built into kustomize (apiVersion: builtin)", apiVersion, kind)
	case scalar(metadata, "name") == "":
		return k.reject(u.field, "", "%s: metadata.name is missing", kind)
	}
	return c.paths(k, u, root, "")
}

func scalar(n *yaml.Node, key string) string {
	_, value := syntax.Child(n, key)
	return textOf(value)
}

// paths checks every text of a plugin's settings that could be a file's path.
func (c *checker) paths(k kustomization, u use, n *yaml.Node, key string) error {
	n = syntax.Target(n)
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "<<" {
				return k.reject(u.field, "write it out", "a merge (<<) in a plugin's settings")
			}
			if err := c.paths(k, u, n.Content[i+1], strings.ToLower(n.Content[i].Value)); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			if err := c.paths(k, u, item, key); err != nil {
				return err
			}
		}
	case yaml.ScalarNode:
		return c.path(k, u, n, key)
	}
	return nil
}

// path checks one text; what is not the value of a field for paths is free.
func (c *checker) path(k kustomization, u use, n *yaml.Node, key string) error {
	if !slices.Contains([]string{"path", "paths", "files", "envs", "env", "targetfilepath", "valuesfile"}, key) {
		return nil
	}
	text := fileOf(n.Value)
	if remote(text) || remote(n.Value) {
		return k.reject(u.field, "put a copy into the repository", "%s: %.200s: not in the repository, and nothing is fetched", key, n.Value)
	}
	if strings.ContainsAny(text, "\n:") { // an inline patch, or a field's path
		return nil
	}
	if _, err := repo.Join(k.dir, text); err != nil && (key == "files" || key == "envs" || key == "env") {
		return mistake.Rejected("", "%s:%d: %s: %s: %.200s: %w", k.file, syntax.Line(k.root, u.field...), dotted(u.field), key, n.Value, err)
	}
	return nil
}
