package helm

import (
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// values are those that the app gives: its files in order, then single ones.
func (in Input) values() (map[string]any, error) {
	out := map[string]any{}
	for _, file := range in.Values {
		next := map[string]any{}
		if err := yaml.Unmarshal(file.Data, &next); err != nil {
			return nil, rejected("a values file holds one mapping", "read values: %s: %s", file.Name, plainYAML(err))
		}
		out = merge(out, next)
	}
	for _, name := range slices.Sorted(maps.Keys(in.Set)) {
		if err := strvals.ParseInto(name+"="+literal(in.Set[name]), out); err != nil {
			return nil, rejected("name it as helm --set does, such as image.tag or hosts[0].name", "kubernetes.helm.set: %s cannot be set: %s", name, plainSet(err))
		}
	}
	return out, nil
}

// merge lays over on base, mapping by mapping, as Helm does with its -f files.
func merge(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for name, value := range over {
		table, ok := value.(map[string]any)
		below, was := out[name].(map[string]any)
		if ok && was {
			out[name] = merge(below, table)
		} else {
			out[name] = value
		}
	}
	return out
}

// literal has nothing left that Helm's --set would read as a list or as the next
// value.
func literal(value string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `{`, `\{`, `}`, `\}`).Replace(value)
}

// capabilities are what templates learn of the cluster.
func (in Input) capabilities() (*chartutil.Capabilities, error) {
	version := in.KubeVersion
	if version == "" {
		version = DefaultKubeVersion
	}
	kube, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return nil, rejected("", "the version of Kubernetes %.40q cannot be read: %w", version, err)
	}
	caps := chartutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	caps.APIVersions = slices.Concat(caps.APIVersions, chartutil.VersionSet(in.APIVersions))
	slices.Sort(caps.APIVersions)
	return caps, nil
}

// plainYAML takes the conversion that nobody asked for out of an error's text.
func plainYAML(err error) string {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "error unmarshaling JSON: while decoding JSON: ")
	return strings.TrimPrefix(text, "yaml: ")
}

// plainSet says what a failed conversion means.
func plainSet(err error) string {
	if strings.Contains(err.Error(), "interface conversion") {
		return "a part of it is no mapping, or no list, in the values files"
	}
	return err.Error()
}
