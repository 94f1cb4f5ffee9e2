package kustomize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/repo"
)

const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

// repository writes files; "-> " begins a symlink.
func repository(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		to, link := strings.CutPrefix(content, "-> ")
		if !link {
			put(t, root, name, []byte(content))
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Nothing is fetched, nothing is run, nothing outside the repository is read, and
// whatever is refused or broken is named by file and field.
func TestEveryMistakeIsNamed(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte(manifest+"data: {k: 0utside}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plugin := func(list, text string) string {
		return list + ":\n- |-\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	const place = "app/kustomization.yaml:"
	for name, c := range map[string]struct {
		text  string
		files map[string]string
		words []string
	}{
		"https file":              {"resources:\n- https://example.com/a.yaml\n", nil, []string{place + "2: resources[0]", "nothing is fetched"}},
		"HTTP file":               {"resources: [a.yaml, 'HTTP://example.com/a.yaml']", nil, []string{place + "1: resources[1]", "nothing is fetched"}},
		"https repository":        {"resources: ['https://github.com/a/b//c?ref=v1']", nil, []string{"resources[0]", "nothing is fetched"}},
		"github":                  {"resources: [github.com/a/b]", nil, []string{"resources[0]", "nothing is fetched"}},
		"GitHub":                  {"bases: ['GitHub.com/a/b?ref=x']", nil, []string{"bases[0]", "nothing is fetched"}},
		"github over ssh":         {"resources: ['git@github.com:a/b.git']", nil, []string{"resources[0]", "nothing is fetched"}},
		"user":                    {"resources: [me@host/a/b]", map[string]string{"app/me@host/a/b/kustomization.yaml": "resources: [x]"}, []string{"resources[0]", "nothing is fetched"}},
		"git::":                   {"components: ['git::https://example.com/a/b']", nil, []string{"components[0]", "nothing is fetched"}},
		"ssh":                     {"resources: ['ssh://git@host/a/b']", nil, []string{"resources[0]", "nothing is fetched"}},
		"file":                    {"resources: ['file:///etc/a/b']", nil, []string{"resources[0]", "nothing is fetched"}},
		"other letters":           {"Resources: ['https://example.com/a.yaml']", nil, []string{place + "1: resources[0]", "nothing is fetched"}},
		"crds":                    {"crds: ['https://example.com/a.yaml']", nil, []string{"crds[0]", "nothing is fetched"}},
		"configurations":          {"configurations: ['https://example.com/a.yaml']", nil, []string{"configurations[0]", "nothing is fetched"}},
		"openapi":                 {"openapi: {path: 'https://example.com/a.json'}", nil, []string{"openapi.path", "nothing is fetched"}},
		"patch":                   {"patches: [{path: 'https://example.com/a.yaml'}]", nil, []string{"patches[0].path", "nothing is fetched"}},
		"strategic patch":         {"patchesStrategicMerge: ['https://example.com/a.yaml']", nil, []string{"patchesStrategicMerge[0]", "nothing is fetched"}},
		"JSON patch":              {"patchesJson6902: [{path: 'https://example.com/a.yaml', target: {kind: A, name: a, version: v1}}]", nil, []string{"patchesJson6902[0].path", "nothing is fetched"}},
		"replacement":             {"replacements: [{path: 'https://example.com/a.yaml'}]", nil, []string{"replacements[0].path", "nothing is fetched"}},
		"config file":             {"configMapGenerator: [{name: a, files: ['k=https://example.com/a']}]", nil, []string{"configMapGenerator[0].files[0]", "nothing is fetched"}},
		"config env":              {"configMapGenerator: [{name: a, envs: ['https://example.com/a']}]", nil, []string{"configMapGenerator[0].envs[0]", "nothing is fetched"}},
		"secret env":              {"secretGenerator: [{name: a, env: 'https://example.com/a'}]", nil, []string{"secretGenerator[0].env", "nothing is fetched"}},
		"generator":               {"generators: ['https://example.com/a.yaml']", nil, []string{"generators[0]", "nothing is fetched"}},
		"generator over lines":    {"generators:\n- |\n  https://example.com/a\n", nil, []string{"generators[0]", "nothing is fetched"}},
		"transformer's patch":     {plugin("transformers", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: https://example.com/a\n"), nil, []string{"transformers[0]: path", "nothing is fetched"}},
		"its Path":                {plugin("transformers", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\nPath: https://example.com/a\n"), nil, []string{"transformers[0]: path", "nothing is fetched"}},
		"transformer's target":    {plugin("transformers", "apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: a}\ntargetFilePath: https://example.com/a\n"), nil, []string{"targetfilepath", "nothing is fetched"}},
		"generator's file":        {"generators: [g.yaml]", map[string]string{"app/g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nfiles: [k=https://example.com/a]\n"}, []string{"generators[0]: files", "nothing is fetched"}},
		"of a base":               {"resources: [../base]", map[string]string{"base/kustomization.yaml": "namespace: a\nresources:\n- https://example.com/a.yaml\n"}, []string{"base/kustomization.yaml:3: resources[0]", "nothing is fetched"}},
		"a plugin":                {plugin("generators", "apiVersion: someteam.example.com/v1\nkind: Gen\nmetadata: {name: a}\n"), nil, []string{"generators[0]: someteam.example.com/v1 Gen: plugins are not run"}},
		"a container":             {plugin("transformers", "apiVersion: builtin\nkind: LabelTransformer\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/function: 'container: {image: x}'\n"), nil, []string{"transformers[0]", "not run"}},
		"a program":               {plugin("validators", "apiVersion: x/v1\nkind: V\nmetadata:\n  name: a\n  annotations: {config.kubernetes.io/function: 'exec: {path: ./x}'}\n"), nil, []string{"validators[0]", "not run"}},
		"a chart's plugin":        {plugin("generators", "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: a}\nname: a\n"), nil, []string{"generators[0]", "helm"}},
		"a plugin's merge":        {plugin("transformers", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\n<<: {path: https://example.com/a}\n"), nil, []string{"transformers[0]", "<<"}},
		"a directory of plugins":  {"transformers: [../base]", map[string]string{"base/kustomization.yaml": "resources: [a.yaml]"}, []string{"transformers[0]: ../base: a directory"}},
		"helmCharts":              {"namespace: a\nhelmCharts: [{name: a}]", nil, []string{place + "2: helmCharts", "kubernetes.helm"}},
		"helmGlobals":             {"helmGlobals: {chartHome: x}", nil, []string{"helmGlobals"}},
		"old helm charts":         {"helmChartInflationGenerator: [{chartName: a}]", nil, []string{"helmChartInflationGenerator"}},
		"climbs":                  {"resources: [../../a.yaml]", nil, []string{place + "1: resources[0]: ../../a.yaml: the path leaves the repository"}},
		"absolute":                {"resources: [" + outside + "]", nil, []string{"resources[0]", "leaves the repository"}},
		"climbing patch":          {"patches: [{path: ../../a.yaml}]", nil, []string{"patches[0].path", "leaves the repository"}},
		"climbing file":           {"configMapGenerator: [{name: a, files: [../../a]}]", nil, []string{"configMapGenerator[0].files[0]", "leaves the repository"}},
		"climbing plugin's file":  {"generators: [g.yaml]", map[string]string{"app/g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nfiles: [../../a]\n"}, []string{"generators[0]: files", "leaves the repository"}},
		"symlink out":             {"resources: [link.yaml]", map[string]string{"app/link.yaml": "-> " + outside}, []string{"resources[0]", "leaves the repository"}},
		"symlink climbs":          {"resources: [link.yaml]", map[string]string{"app/link.yaml": "-> ../../x"}, []string{"resources[0]", "leaves the repository"}},
		"symlink loops":           {"resources: [link.yaml]", map[string]string{"app/link.yaml": "-> link.yaml"}, []string{"resources[0]", "symlinks"}},
		"symlink to a directory":  {"resources: [link/outside.yaml]", map[string]string{"app/link": "-> " + filepath.Dir(outside)}, []string{"resources[0]", "leaves the repository"}},
		"symlink as itself":       {"-> " + outside, nil, []string{"app/kustomization.yaml", "leaves the repository"}},
		"missing":                 {"namespace: a\nresources:\n- b.yaml\n- c.yaml\n", nil, []string{place + "3: resources[0]: b.yaml: there is no such file", place + "4: resources[1]: c.yaml"}},
		"missing patch":           {"resources: [a.yaml]\npatches: [{path: p.yaml}]", nil, []string{"patches[0].path: p.yaml: there is no such file"}},
		"missing env":             {"configMapGenerator: [{name: a, envs: [x]}]", nil, []string{"configMapGenerator[0].envs[0]: x: there is no such file"}},
		"missing component":       {"components: [a.yaml]", nil, []string{"components[0]: a.yaml: no directory"}},
		"directory without":       {"resources: [sub]", map[string]string{"app/sub/a.yaml": manifest}, []string{"resources[0]: sub: a directory without a kustomization"}},
		"file as a directory":     {"resources: [a.yaml/b.yaml]", nil, []string{"resources[0]", "a.yaml/b.yaml"}},
		"unknown field":           {"resources: [a.yaml]\nresorces: [a]\n", nil, []string{place + `2: unknown field "resorces"`}},
		"not text":                {"resources: [a.yaml]\nnamespace: n\n", nil, []string{place + "2", "cannot unmarshal bool", "quotes"}},
		"duplicate":               {"resources: [a.yaml]\nresources: [a.yaml]\n", nil, []string{place + `2: the key "resources" is there twice`}},
		"not YAML":                {"resources: [\n", nil, []string{"app/kustomization.yaml:2", "not valid YAML"}},
		"two kustomizations":      {"resources: [a.yaml]", map[string]string{"app/Kustomization": "resources: []"}, []string{"app: 2 kustomization files", "keep one"}},
		"two documents":           {"resources: [a.yaml]\n---\nresources: [a.yaml]\n", nil, []string{"2 YAML documents"}},
		"its kind":                {"kind: Foo\nresources: [a.yaml]", nil, []string{"app/kustomization.yaml", "kind should be Kustomization"}},
		"duplicate in a resource": {"resources: [b.yaml]", map[string]string{"app/b.yaml": manifest + "kind: A\n"}, []string{`app/b.yaml:4: the key "kind" is there twice`}},
		"broken resource":         {"resources: [b.yaml]", map[string]string{"app/b.yaml": manifest + "---\na: [\n"}, []string{"app/b.yaml:6", "not valid YAML"}},
		"nameless resource":       {"resources: [b.yaml]", map[string]string{"app/b.yaml": manifest + "---\napiVersion: v1\nkind: A\n"}, []string{"app/b.yaml:5: A: metadata.name is missing"}},
		"no kind":                 {"resources: [b.yaml]", map[string]string{"app/b.yaml": "a: b\n"}, []string{"app/b.yaml:1: kind is missing"}},
		"twice":                   {"resources: [a.yaml, b.yaml]", map[string]string{"app/b.yaml": "# one\n" + manifest}, []string{"ConfigMap/a is there twice: app/a.yaml:1, app/b.yaml:2"}},
		"twice in a namespace":    {"resources: [b.yaml, ../base]", map[string]string{"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n1}\n", "base/kustomization.yaml": "resources: [c.yaml]", "base/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n1}\n"}, []string{"ConfigMap/a is there twice: app/b.yaml:1, base/c.yaml:1"}},
		"circle":                  {"resources: [../base]", map[string]string{"base/kustomization.yaml": "resources: [../app]"}, []string{"cycle detected"}},
		"patch of nothing":        {"resources: [a.yaml]\npatches: [{path: p.yaml}]", map[string]string{"app/p.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"}, []string{"app/kustomization.yaml", "no resource matches", "other"}},
		"failing test":            {"resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"test\", \"path\": \"/metadata/name\", \"value\": \"b\"}]'}]", nil, []string{"app/kustomization.yaml", "test"}},
		"replacement of nothing":  {"resources: [a.yaml]\nreplacements: [{source: {kind: X}, targets: [{select: {kind: ConfigMap}, fieldPaths: [a.b]}]}]", nil, []string{"app/kustomization.yaml", "nothing selected"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"app/kustomization.yaml": c.text, "app/a.yaml": manifest}
			for name, text := range c.files {
				files[name] = text
			}
			root := repository(t, files)
			tries := offline(t)
			_, _, err := built(t, root, "app")
			if n := tries(); n > 0 {
				t.Errorf("it tried to fetch %d times", n)
			}
			if err == nil {
				t.Fatal("built, want an error")
			}
			if fault.Of(err) != fault.Rejected {
				t.Errorf("class %s: %v", fault.Of(err), err)
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) && !strings.Contains(fault.Advice(err), word) {
					t.Errorf("the error does not say %q: %v (hint: %s)", word, err, fault.Advice(err))
				}
			}
			if strings.Contains(err.Error(), root) || strings.Contains(err.Error(), "0utside") {
				t.Errorf("the error tells too much: %v", err)
			}
			if _, _, again := built(t, root, "app"); again == nil || again.Error() != err.Error() {
				t.Errorf("first: %v\nthen:  %v", err, again)
			}
		})
	}
}

// An address in a text that names no file is a text.
func TestTextsThatLookLikeAddressesAreFree(t *testing.T) {
	root := repository(t, map[string]string{
		"app/kustomization.yaml":                "resources: [a.yaml, ./github.com/x/y]\ncommonAnnotations: {home: https://example.com/}\nconfigMapGenerator: [{name: b, literals: ['url=https://example.com/']}]\npatches: [{target: {kind: ConfigMap}, patch: '[{\"op\": \"add\", \"path\": \"/data\", \"value\": {\"u\": \"https://example.com\"}}]'}]\n",
		"app/a.yaml":                            manifest,
		"app/github.com/x/y/kustomization.yaml": "configMapGenerator: [{name: c, literals: [a=b]}]\n",
	})
	docs, _, err := built(t, root, "app")
	if err != nil || len(docs) != 3 {
		t.Errorf("%d documents, %v", len(docs), err)
	}
}

// Whatever was read or looked for is an input, also through symlinks.
func TestInputsAreRemembered(t *testing.T) {
	root := repository(t, map[string]string{
		"app/kustomization.yaml":  "resources: [link, link.yaml]\nconfigMapGenerator: [{name: c, files: [../common/c.txt]}]\n",
		"app/link":                "-> ../base",
		"app/link.yaml":           "-> ../common/real.yaml",
		"base/kustomization.yaml": "resources: [b.yaml]\n",
		"base/b.yaml":             strings.Replace(manifest, "name: a", "name: b", 1),
		"common/real.yaml":        manifest,
		"common/c.txt":            "c",
		"common/unused.txt":       "c",
	})
	r, err := repo.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	docs, _, err := Render(t.Context(), r, "app")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, d := range docs {
		sources = append(sources, d.Source)
	}
	if got := strings.Join(sources, " "); got != "app/link/b.yaml app/link.yaml app/kustomization.yaml" {
		t.Errorf("sources %s", got)
	}
	inputs := " " + strings.Join(r.Inputs(), " ") + " "
	for _, want := range []string{"app/kustomization.yaml", "app/kustomization.yml", "app/link", "app/link.yaml", "common/real.yaml", "base/kustomization.yaml", "base/b.yaml", "common/c.txt"} {
		if !strings.Contains(inputs, " "+want+" ") {
			t.Errorf("inputs lack %s: %s", want, inputs)
		}
	}
	if strings.Contains(inputs, "unused") {
		t.Errorf("inputs %s", inputs)
	}
}

// unchecked builds the app without looking at it first.
func unchecked(t testing.TB, root string) error {
	t.Helper()
	r, err := repo.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = build(files{repo: r}, "app", false)
	return err
}
