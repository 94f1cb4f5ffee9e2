package helm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"syncd.io/syncd/internal/fault"
)

// tree is a chart of files; one without Chart.yaml gets one.
func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{"Chart.yaml": {Data: []byte("apiVersion: v2\nname: app\nversion: 1.0.0\n")}}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func input(files map[string]string) Input {
	return Input{Chart: tree(files), Release: "shop", Namespace: "prod"}
}

func configMap(data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: " + data + "}\n"
}

func TestMistakesAreNamed(t *testing.T) {
	sub := "apiVersion: v2\nname: db\nversion: 1.2.3\n"
	asks := "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		more  func(*Input)
		want  string
		hint  string
	}{
		{"no Chart.yaml", map[string]string{"Chart.yaml": ""}, func(in *Input) { delete(in.Chart.(fstest.MapFS), "Chart.yaml") }, "Chart.yaml file is missing", ""},
		{"broken Chart.yaml", map[string]string{"Chart.yaml": "a: ]"}, nil, "cannot load Chart.yaml", ""},
		{"version that is none", map[string]string{"Chart.yaml": "apiVersion: v2\nname: a\nversion: one\n"}, nil, "version", ""},
		{"apiVersion of the future", map[string]string{"Chart.yaml": "apiVersion: v3\nname: a\nversion: 1.0.0\n"}, nil, `apiVersion: "v3" is none that is known`, ""},
		{"library", map[string]string{"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\ntype: library\n"}, nil, "type: library charts cannot be installed", "dependency"},
		{"other Kubernetes", map[string]string{"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: '>=1.40'\n"}, nil, "wants Kubernetes >=1.40, and is rendered for v1.37.0", "fixed"},
		{"given Kubernetes", map[string]string{"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: '>=1.30'\n"}, func(in *Input) { in.KubeVersion = "v1.29.4" }, "rendered for v1.29.4", ""},
		{"Kubernetes that is none", nil, func(in *Input) { in.KubeVersion = "new" }, `"new" cannot be read`, ""},
		{"missing dependency", map[string]string{"Chart.yaml": asks + "- {name: db, version: ~1.2}\n- {name: mail, version: 2.x}\n", "charts/db/Chart.yaml": sub}, nil, "not in charts/: mail 2.x", "helm dependency build"},
		{"dependency of another version", map[string]string{"Chart.yaml": asks + "- {name: db, version: 2.x}\n", "charts/db/Chart.yaml": sub}, nil, "asks for db 2.x, and charts/ has db 1.2.3", "helm dependency build"},
		{"dependency twice", map[string]string{"Chart.yaml": asks + "- {name: db, version: 1.x}\n", "charts/db/Chart.yaml": sub, "charts/db-old/Chart.yaml": strings.ReplaceAll(sub, "1.2.3", "1.1.0")}, nil, "several that fit: db 1.1.0, db 1.2.3", "remove"},
		{"dependency in two places", map[string]string{"charts/a/Chart.yaml": sub, "charts/b/Chart.yaml": sub}, nil, "charts/ of chart app has db 1.2.3 twice", "remove"},
		{"below a dependency in two places", map[string]string{"charts/m/Chart.yaml": strings.ReplaceAll(sub, "db", "m"), "charts/m/charts/a/Chart.yaml": sub, "charts/m/charts/b/Chart.yaml": sub}, nil, "charts/ of chart m has db 1.2.3 twice", "remove"},
		{"only now", map[string]string{"templates/a.yaml": "{{ if lt now.Year 2020 }}{{ fail \"too early\" }}{{ end }}"}, nil, "at another time nothing: templates/a.yaml:1: too early", "every rendering"},
		{"only now, by way of tpl", map[string]string{"values.yaml": "x: '{{ .Values.a.b.c }}'", "templates/a.yaml": "\n{{ if lt now.Year 2020 }}{{ tpl .Values.x . }}{{ end }}"}, nil, "at another time nothing: templates/a.yaml:2: at {{ .Values.a.b.c }}: nil pointer", "every rendering"},
		{"empty dependency", map[string]string{"Chart.yaml": asks + "- \n"}, nil, "", ""},
		{"packed dependency that is none", map[string]string{"charts/db.tgz": "not packed"}, nil, "error unpacking subchart db.tgz", ""},
		{"release name", nil, func(in *Input) { in.Release = "Shop_1" }, `"Shop_1" cannot be used`, "kubernetes.helm.release"},
		{"values that are a list", nil, func(in *Input) { in.Values = []ValuesFile{{"values-prod.yaml", []byte("[a]")}} }, "read values: values-prod.yaml: ", "mapping"},
		{"values that are no YAML", nil, func(in *Input) { in.Values = []ValuesFile{{"values-prod.yaml", []byte("a: b\n c: d\n")}} }, "values-prod.yaml: line 2: ", ""},
		{"set below a text", map[string]string{"values.yaml": "a: b"}, func(in *Input) {
			in.Values = []ValuesFile{{"v", []byte("image: nginx")}}
			in.Set = map[string]string{"image.tag": "1"}
		}, "image.tag cannot be set: a part of it is no mapping", "--set"},
		{"set far away", nil, func(in *Input) { in.Set = map[string]string{"a[99999999]": "1"} }, "a[99999999] cannot be set", ""},
		{"required", map[string]string{"templates/a.yaml": "x: y\nz: {{ required \"set image.tag!\" .Values.tag }}\n"}, nil, "templates/a.yaml:2: set image.tag!", ""},
		{"fail", map[string]string{"templates/a.yaml": "{{ fail \"no way: never\" }}"}, nil, "templates/a.yaml:1: no way: never", ""},
		{"nil pointer", map[string]string{"templates/a.yaml": "\n\na: {{ .Values.image.tag.name }}"}, nil, "templates/a.yaml:3: at {{ .Values.image.tag.name }}: nil pointer", "kubernetes.helm.values"},
		{"nil pointer in an include", map[string]string{"templates/_h.tpl": "{{ define \"x\" }}\n{{ .Values.a.b.c }}{{ end }}", "templates/a.yaml": "\na: {{ include \"x\" . }}"}, nil, "templates/_h.tpl:2: at {{ .Values.a.b.c }}: nil pointer evaluating interface {}.b (used by templates/a.yaml:2)", "kubernetes.helm.values"},
		{"no such template", map[string]string{"templates/a.yaml": "a: {{ include \"x\" . }}"}, nil, `templates/a.yaml:1: at {{ include "x" . }}: error calling include: template: no template "x"`, ""},
		{"no such function", map[string]string{"templates/a.yaml": "\na: {{ env \"HOME\" }}"}, nil, `templates/a.yaml:2: function "env" not defined`, "helm template"},
		{"open action", map[string]string{"templates/a.yaml": "a: {{ if true }}\n"}, nil, "templates/a.yaml:2: unexpected EOF", ""},
		{"tpl", map[string]string{"templates/a.yaml": "a: {{ tpl \"{{ .Values.a.b }}\" . }}\n"}, nil, "templates/a.yaml:1: at {{ .Values.a.b }}: nil pointer evaluating interface {}.b", ""},
		{"endless include", map[string]string{"templates/a.yaml": "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}"}, nil, "nested reference name: x", ""},
		{"not YAML", map[string]string{"templates/a.yaml": "a: b\nc: {{ \"d: e\" }}\n"}, nil, `templates/a.yaml: what it renders to is not YAML: line 2 ("c: d: e"): mapping values`, ""},
		{"schema", map[string]string{"values.schema.json": `{"properties": {"replicas": {"type": "integer"}}}`, "values.yaml": "replicas: two"}, nil, "do not fit values.schema.json of chart app: - at '/replicas': got string, want integer", "kubernetes.helm.values"},
		{"schema of a dependency", map[string]string{"charts/db/Chart.yaml": sub, "charts/db/values.schema.json": `{"required": ["size"]}`}, nil, "values.schema.json of chart db: - at '': missing property 'size'", ""},
		{"schema that is no JSON", map[string]string{"values.schema.json": `{`}, nil, "the schema is not JSON", ""},
		{"schema from a file", map[string]string{"values.schema.json": `{"$ref": "file:///etc/hostname"}`}, nil, `refers to "file:///etc/hostname"`, ""},
		{"schema from beside", map[string]string{"values.schema.json": `{"$id": "file:///etc/x", "$ref": "hostname"}`}, nil, `refers to "file:///etc/hostname"`, ""},
		{"schema from a server", map[string]string{"values.schema.json": `{"$ref": "https://example.com/s.json"}`}, nil, `refers to "https://example.com/s.json"`, ""},
		{"values that a subchart cannot have", map[string]string{"charts/db/Chart.yaml": sub, "values.yaml": "db: 5\n", "charts/db/values.yaml": "a: b\n"}, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(c.files)
			if c.more != nil {
				c.more(&in)
			}
			_, _, err := Render(t.Context(), in)
			if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.Advice(err), c.hint) {
				t.Errorf("got %v (%v, hint %q), want %q (hint %q)", err, fault.Of(err), fault.Advice(err), c.want, c.hint)
			}
		})
	}
}

// What would be something else at the next look is refused, whatever makes it so.
func TestTheSameBytesGiveTheSameObjects(t *testing.T) {
	for _, c := range []struct{ function, template, hint string }{
		{"randAlphaNum", configMap(`{{ randAlphaNum 10 }}`), "set the value"},
		{"randAlphaNum", configMap(`{{ .Values.none | default (randAlphaNum 10) }}`), "set the value"},
		{"uuidv4", configMap(`{{ uuidv4 }}`), "set the value"},
		{"genCA", configMap(`{{ (genCA "x" 1).Cert | b64enc }}`), "set the value"},
		{"htpasswd", configMap(`'{{ htpasswd "a" "b" }}'`), "set the value"},
		{"shuffle", configMap(`{{ shuffle "abcdefghijklmnopqrstuvwxyz" }}`), "set the value"},
		{"now", configMap(`{{ now | unixEpoch }}`), "set the value"},
		{"now", configMap(`{{ now.Year }}`), "set the value"},
		{"now", configMap(`{{ date "2006" now }}`), "set the value"},
		{"now", configMap(`{{ (now).Format "2006" }}`), "set the value"},
		{"now", configMap(`{{ with now }}{{ .Year }}{{ end }}`), "set the value"},
		{"now", configMap(`{{ now.Format "2006" }}`), "set the value"},
		{"now", configMap(`{{ $t := now }}{{ if true }}{{ range list 1 }}{{ $t.Year }}{{ end }}{{ end }}`), "set the value"},
		{"ago", configMap(`{{ toDate "2006" "2001" | ago }}`), "set the value"},
		{"values", configMap(`{{ values (dict "a" 1 "b" 2 "c" 3) | join "" }}`), "range $key, $value"},
		{"values", configMap(`{{ $d := dict "a" 1 "b" 2 "c" 3 -}}{{ range ($d | values) }}{{ . }}{{ end }}`), "range $key, $value"},
	} {
		t.Run(c.function+" "+c.template[60:], func(t *testing.T) {
			_, _, err := Render(t.Context(), input(map[string]string{"templates/a.yaml": "\n" + c.template, "templates/b.yaml": configMap("b")}))
			want := "templates/a.yaml gives something else each time that it is rendered: it uses " + c.function + " (at templates/a.yaml:5)"
			if err == nil || fault.Of(err) != fault.Rejected || err.Error() != want || !strings.Contains(fault.Advice(err), c.hint) {
				t.Errorf("got %v (hint %q), want %q", err, fault.Advice(err), want)
			}
		})
	}
}

// Nor is it let through where it stands in a value or in a file, or where a function
// takes the time because it was given none.
func TestTheTimeIsFoundWhereverItComesFrom(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		why   string
	}{
		"in a value":              {map[string]string{"values.yaml": "note: '{{ now | date \"2006-01-02\" }}'\n", "templates/a.yaml": configMap(`{{ tpl .Values.note . | quote }}`)}, "it uses now (at .Values.note)"},
		"in a value with others":  {map[string]string{"values.yaml": "note: {a: ['{{now.Year}}']}\n", "templates/a.yaml": configMap(`{{ .Values.note | toYaml | b64enc }}`), "templates/b.yaml": configMap("\n{{ tpl (toYaml .Values.note) $ | indent 4 }}")}, "it uses now (at .Values.note.a[0])"},
		"in a value, how long":    {map[string]string{"values.yaml": "note: '{{ toDate \"2006\" \"2001\" | ago }}'\n", "templates/a.yaml": configMap(`{{ tpl .Values.note . }}`)}, "it uses ago (at .Values.note)"},
		"in a file":               {map[string]string{"conf/x": "\n{{ now | date \"2006-01-02\" }}", "templates/a.yaml": configMap(`{{ . | tpl (.Files.Get "conf/x") | quote }}`)}, "it uses now (at conf/x:2)"},
		"any order in a value":    {map[string]string{"values.yaml": "d: {a: 1, b: 2, c: 3, d: 4, e: 5}\nnote: '{{ keys .Values.d }}'\n", "templates/a.yaml": configMap(`{{ tpl .Values.note . | quote }}`)}, "it uses keys (at .Values.note)"},
		"date of a number":        {map[string]string{"values.yaml": "stamp: 1700000000\n", "templates/a.yaml": configMap(`{{ date "2006-01-02" .Values.stamp | quote }}`)}, "it uses date (at templates/a.yaml:4)"},
		"date in a pipeline":      {map[string]string{"values.yaml": "stamp: 1700000000\n", "templates/a.yaml": configMap(`{{ .Values.stamp | date "2006-01-02" | quote }}`)}, "it uses date (at templates/a.yaml:4)"},
		"dateInZone of a number":  {map[string]string{"values.yaml": "stamp: 1700000000\n", "templates/a.yaml": configMap(`{{ dateInZone "2006" .Values.stamp "UTC" | quote }}`)}, "it uses dateInZone (at templates/a.yaml:4)"},
		"htmlDate of nothing":     {map[string]string{"templates/a.yaml": configMap(`{{ htmlDate .Values.none | quote }}`)}, "it uses htmlDate (at templates/a.yaml:4)"},
		"htmlDateInZone":          {map[string]string{"templates/a.yaml": configMap(`{{ htmlDateInZone "2020-01-01" "UTC" | quote }}`)}, "it uses htmlDateInZone (at templates/a.yaml:4)"},
		"durationRound of a time": {map[string]string{"templates/a.yaml": configMap(`{{ toDate "2006-01-02" "2020-01-01" | durationRound | quote }}`)}, "it uses durationRound (at templates/a.yaml:4)"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, _, err := Render(t.Context(), input(c.files))
			if err == nil || !strings.Contains(err.Error(), "gives something else each time that it is rendered: "+c.why) {
				t.Errorf("%v, %v", docs, err)
			}
		})
	}
}

// Of two numbers the same one comes out twice every other time, and eight times hardly
// ever.
func TestChanceIsGivenManyTries(t *testing.T) {
	kept := 0
	for range 20 {
		if _, _, err := Render(t.Context(), input(map[string]string{"templates/a.yaml": configMap(`{{ randInt 0 2 | quote }}`)})); err == nil {
			kept++
		}
	}
	if kept > 3 {
		t.Errorf("randInt 0 2 was let through %d times of 20", kept)
	}
}

// A time that is given is what it is, and a text that only looks like a template is a
// text.
func TestWhatOnlyLooksLikeTheTime(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"times": {map[string]string{"templates/a.yaml": configMap(
			`"{{ date "2006" (toDate "2006-01-02" "2020-03-01") }} {{ 1700000000 | date "2006" }} {{ dateInZone "2006" (int64 1700000000) "UTC" }} {{ htmlDate 1700000000 }} {{ htmlDateInZone 1700000000 "UTC" }} {{ durationRound "2h30m" }} {{ durationRound nil }}"`)},
			`a: "2020 2023 2023 2023-11-14 2023-11-14 2h 0s"`},
		"not given to tpl": {map[string]string{"conf/x": "{{ now }} keys", "values.yaml": "note: '{{ now }}'\nname: '{{ .Release.Name }}'\n", "templates/a.yaml": configMap(
			`"{{ .Files.Get "conf/x" }} {{ .Values.note }} {{ .Files.Get "conf/x" | sha256sum | trunc 4 }} {{ tpl .Values.name . }}"`)}, `a: "{{ now }} keys {{ now }} d448 shop"`},
		"words": {map[string]string{"values.yaml": "note: 'now {{ \"now ago\" }} ago {{ .Values.now }} {{ `now` }} keys'\nnow: then\n", "templates/a.yaml": configMap(
			`"{{ tpl .Values.note . }}"`)}, `a: "now now ago ago then now keys"`},
	} {
		t.Run(name, func(t *testing.T) {
			docs, _, err := Render(t.Context(), input(c.files))
			if err != nil || len(docs) != 1 || !strings.Contains(string(docs[0].YAML), c.want) {
				t.Errorf("%v, %v", err, docs)
			}
		})
	}
}

func TestWhatChangesIsFoundInIncludedTemplates(t *testing.T) {
	_, _, err := Render(t.Context(), input(map[string]string{
		"templates/a.yaml":           configMap(`{{ include "password" . }}`),
		"templates/_h.tpl":           "\n{{ define \"password\" }}{{ randAlphaNum 9 }}{{ end }}",
		"charts/db/Chart.yaml":       "apiVersion: v2\nname: db\nversion: 1.0.0\n",
		"charts/db/templates/_x.tpl": `{{ define "never" }}{{ uuidv4 }}{{ end }}`,
	}))
	want := "templates/a.yaml gives something else each time that it is rendered: it uses uuidv4, randAlphaNum (at charts/db/templates/_x.tpl:1, templates/_h.tpl:2)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// A function that makes something up may be there, as long as nothing of it shows.
func TestWhatIsMadeUpMayGoUnused(t *testing.T) {
	for _, template := range []string{
		configMap(`{{ "given" | default (randAlphaNum 10) }}`),
		configMap(`{{ if false }}{{ now }}{{ end }}x`),
		configMap(`{{ $x := now }}{{ $y := uuidv4 }}x`),
		configMap(`{{ keys (dict "a" 1 "b" 2 "c" 3 "d" 4) | sortAlpha | join "" }}`),
		configMap(`{{ values (dict "a" 1) | first }} {{ len (values (dict "a" 1 "b" 2)) }}`),
		configMap(`{{ ago nil | trunc 0 }}x`),
		configMap(`"now ago {{ "now" }} {{/* now */}}"`),
	} {
		docs, _, err := Render(t.Context(), input(map[string]string{"templates/a.yaml": template}))
		if err != nil || len(docs) != 1 {
			t.Errorf("%s: %v, %v", template, docs, err)
		}
	}
}

// Keys are in order, wherever a template asks for them.
func TestKeysAreInOrder(t *testing.T) {
	const dict = `dict "d" 1 "b" 2 "c" 3 "a" 4 ")" 5`
	for _, expression := range []string{
		`keys (` + dict + `) | join ""`,
		dict + ` | keys | join ""`,
		`join "" (keys (` + dict + `))`,
		`$x := ` + dict + ` }}{{ keys $x | join ""`,
		`$x := ` + dict + ` }}{{ range $k := keys $x -}} {{ $k -}} {{ end`,
		`$x := ` + dict + ` }}{{ range keys $x}}{{.}}{{end`,
		`$x := ` + dict + ` }}{{ $y := keys $x -}} {{ join "" $y`,
		"$x := " + dict + " }}{{ join `` (keys\n  $x\n)",
		`$x := dict "x" (` + dict + `) }}{{ (keys $x.x) | join ""`,
		`join "" (keys (dict "\")" 0 | merge (` + dict + `)))`,
	} {
		template := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |-\n    {{" + expression + "}}\n"
		docs, _, err := Render(t.Context(), input(map[string]string{"templates/a.yaml": template}))
		if err != nil || len(docs) != 1 || !strings.HasSuffix(strings.TrimSpace(string(docs[0].YAML)), ")abcd") {
			t.Errorf("%s: %v, %v", expression, err, docs)
		}
	}
}

func TestHooksBecomeMoments(t *testing.T) {
	docs, notes, err := Render(t.Context(), story{chart: "hooks"}.input("testdata/charts/hooks"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, fmt.Sprintf("%s %q %d", d.Source, d.Hook, d.Weight))
	}
	want := []string{
		`templates/both.yaml "pre" 0`, `templates/clean.yaml "post" 0`, `templates/config.yaml "pre" -10`, `templates/config.yaml "" 0`,
		`templates/migrate.yaml "pre" 5`, `templates/warm.yaml "post" 0`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	told := []string{
		"templates/both.yaml: Job shop-both, a hook for pre-install,post-upgrade, runs before the others only",
		"templates/clean.yaml: Job shop-clean, a hook for pre-delete, is left out",
		"templates/clean.yaml: Job shop-after, a hook for post-delete,post-rollback, is left out",
		"templates/clean.yaml: Job shop-back, a hook for pre-rollback, is left out",
		"templates/clean.yaml: Job shop-mixed, a hook for post-install,post-delete, does not run for post-delete",
		"templates/test.yaml: Job shop-test, a hook for test, is left out",
		"templates/unknown.yaml: Job shop-unknown, a hook for crd-install, is left out",
	}
	if !slices.Equal(notes, told) {
		t.Errorf("notes:\n%s\nwant:\n%s", strings.Join(notes, "\n"), strings.Join(told, "\n"))
	}
}

func TestDefinitionsComeFirst(t *testing.T) {
	docs, _, err := Render(t.Context(), story{chart: "crds"}.input("testdata/charts/crds"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range docs {
		got = append(got, d.Source)
	}
	if want := []string{"crds/a.json", "crds/b.yaml", "crds/b.yaml", "templates/widget.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatHelmKeepsIsKept(t *testing.T) {
	docs, _, err := Render(t.Context(), story{chart: "keep"}.input("testdata/charts/keep"))
	if err != nil {
		t.Fatal(err)
	}
	for i, keeps := range []bool{true, true, false} {
		if text := string(docs[i].YAML); strings.Contains(text, "syncd.io/prune: keep") != keeps || strings.Contains(text, "resource-policy") != true {
			t.Errorf("document %d:\n%s", i, text)
		}
	}
	if text := string(docs[0].YAML); !strings.Contains(text, `on: "yes"`) || !strings.Contains(text, "# the shop's") {
		t.Errorf("what else is written has changed:\n%s", text)
	}
}

func TestLookupIsTold(t *testing.T) {
	_, notes, err := Render(t.Context(), story{chart: "lookup"}.input("testdata/charts/lookup"))
	want := "lookup finds nothing here, for templates see no cluster: Namespace, Secret/prod/db (at templates/secret.yaml:1, templates/secret.yaml:7)"
	if err != nil || len(notes) != 1 || notes[0] != want {
		t.Errorf("got %q, %v; want %q", notes, err, want)
	}
	_, notes, err = Render(t.Context(), input(map[string]string{"templates/a.yaml": `{{ if false }}{{ lookup "v1" "Secret" "" "" }}{{ end }}` + configMap("b")}))
	if err != nil || len(notes) != 0 {
		t.Errorf("what is never called is told: %q, %v", notes, err)
	}
}

func TestDeprecatedIsTold(t *testing.T) {
	_, notes, err := Render(t.Context(), input(map[string]string{"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\ndeprecated: true\n"}))
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "deprecated") {
		t.Errorf("got %q, %v", notes, err)
	}
}

func TestNamesInMessages(t *testing.T) {
	for text, want := range map[string]string{
		"at (a/templates/x.yaml:1)":    "at (templates/x.yaml:1)",
		"data/templates/x":             "data/templates/x",
		"a/charts/a/templates/x a/b":   "charts/a/templates/x a/b",
		"b/a/templates/x, a/crds/y.ts": "b/a/templates/x, crds/y.ts",
	} {
		if got := within("a", text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// rounds has a directory that leads into itself.
type rounds struct{ fstest.MapFS }

func (r rounds) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.MapFS, last(name)) }
func (r rounds) ReadDir(name string) ([]fs.DirEntry, error) {
	return fs.ReadDir(r.MapFS, last(name))
}

func last(name string) string {
	if strings.HasSuffix(name, "loop") {
		return "loop"
	}
	return name[strings.LastIndex(name, "loop/")+1:]
}

func TestBoundsOfAChart(t *testing.T) {
	many := map[string]string{}
	for i := range maxFiles {
		many[fmt.Sprintf("f/%d", i)] = ""
	}
	loop := rounds{fstest.MapFS{"loop/loop": {Mode: fs.ModeDir}, "Chart.yaml": {}}}
	for want, chart := range map[string]fs.FS{
		"f/big has 5242881 bytes":          tree(map[string]string{"f/big": strings.Repeat("x", maxFile+1)}),
		"more than 10000 files":            tree(many),
		"directories are more than 40":     loop,
		"templates/a is not a regular":     fstest.MapFS{"Chart.yaml": {}, "templates/a": {Mode: fs.ModeNamedPipe}},
		"read templates/a of the chart: x": refusing{tree(map[string]string{"templates/a": ""}), fault.As(fault.Rejected, errors.New("x"))},
	} {
		_, _, err := Render(t.Context(), Input{Chart: chart, Release: "a"})
		if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// refusing is a repository that does not give a file away.
type refusing struct {
	fs.FS
	err error
}

func (r refusing) Open(name string) (fs.File, error) {
	if name == "templates/a" {
		return nil, r.err
	}
	return r.FS.Open(name)
}

func TestTroubleKeepsItsClass(t *testing.T) {
	down := refusing{tree(map[string]string{"templates/a": ""}), fault.As(fault.Blocked, errors.New("not now"))}
	if _, _, err := Render(t.Context(), Input{Chart: down, Release: "a"}); fault.Of(err) != fault.Blocked {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}

func TestRenderEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("shutting down")
	cancel(stopped)
	if _, _, err := Render(ctx, input(map[string]string{"templates/a.yaml": configMap("a")})); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

func TestNoContent(t *testing.T) {
	docs, notes, err := Render(t.Context(), input(nil))
	if err != nil || len(docs)+len(notes) != 0 {
		t.Errorf("got %v, %q, %v", docs, notes, err)
	}
}
