package helm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/kube/helm/reference"
)

// story is one chart with the values that it is rendered with.
type story struct {
	name, chart string
	values      []string
	set         map[string]string
	versions    []string
	packed      []string // dependencies that are packed into charts/*.tgz first
}

func stories() []story {
	return []story{
		{name: "web", chart: "web"},
		{name: "what helm create makes", chart: "created", set: map[string]string{"ingress.enabled": "true", "autoscaling.enabled": "true", "service.port": "8080"}},
		{name: "web with values", chart: "web", values: []string{
			"ingress: {enabled: true, tls: [{hosts: [a.example.com], secretName: tls}]}\nresources: {limits: {cpu: 100m}}\npodAnnotations: {a: b}\n",
			"autoscaling: {enabled: true, maxReplicas: 3}\npodAnnotations: {c: d}\ntolerations: [{key: x, operator: Exists}]\nserviceAccount: {annotations: {role: r}}\n",
		}, set: map[string]string{"image.tag": "1.27", "service.port": "8080", "ingress.hosts[0].host": "shop.example.com", "nodeSelector.kubernetes\\.io/os": "linux"}},
		{name: "web without defaults", chart: "web", values: []string{"image: {pullPolicy: null}\nlivenessProbe: null\n"}, set: map[string]string{"serviceAccount.create": "false", "replicaCount": "0"}},
		{name: "set is not a list", chart: "web", set: map[string]string{"podAnnotations.list": `{a,b}=c\d`, "image.tag": "007", "nameOverride": "null"}},
		{name: "subcharts", chart: "shop"},
		{name: "subcharts switched", chart: "shop", values: []string{"db: {connection: {host: other}}\n"}, set: map[string]string{"pages.enabled": "false", "tags.extras": "true", "db.size": "20Gi", "global.registry": "mirror.example.com"}},
		{name: "packed subcharts", chart: "shop", packed: []string{"db", "cache"}},
		{name: "nested subcharts", chart: "nested"},
		{name: "nested subchart off", chart: "nested", set: map[string]string{"middle.inner.enabled": "false"}},
		{name: "library", chart: "library", set: map[string]string{"port": "9090"}},
		{name: "hooks", chart: "hooks"},
		{name: "crds", chart: "crds", set: map[string]string{"color": "blue"}},
		{name: "files and tpl", chart: "files", values: []string{"greeting: '{{ upper .Release.Namespace }}'\n"}},
		{name: "lookup", chart: "lookup"},
		{name: "lookup with a value", chart: "lookup", set: map[string]string{"password": "given"}},
		{name: "schema", chart: "schema", set: map[string]string{"replicas": "3", "image.tag": "v1"}},
		{name: "keep", chart: "keep"},
		{name: "functions", chart: "functions", versions: []string{"monitoring.coreos.com/v1"}},
		{name: "chart of version 1", chart: "old"},
		{name: "documents", chart: "documents"},
	}
}

func TestRenderAsTheReference(t *testing.T) {
	program := reference.Program(t)
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			dir := s.place(t)
			in := s.input(dir)
			docs, _, err := Render(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			ours, theirs := ourObjects(t, docs), s.reference(t, program, dir)
			if len(ours) == 0 {
				t.Fatal("nothing was rendered")
			}
			for i := range max(len(ours), len(theirs)) {
				if i >= len(ours) || i >= len(theirs) || ours[i] != theirs[i] {
					t.Fatalf("ours:\n%s\n\nhelm template:\n%s", strings.Join(ours[min(i, len(ours)):], "\n"), strings.Join(theirs[min(i, len(theirs)):], "\n"))
				}
			}
		})
	}
}

// A packed chart gives what its directory gives.
func TestRenderArchive(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			dir := s.place(t)
			in := s.input(dir)
			want, _, err := Render(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			in.Chart, in.Archive = nil, archive(t, dir, s.chart)
			got, _, err := Render(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := ourObjects(t, want), ourObjects(t, got); !slices.Equal(a, b) {
				t.Errorf("directory:\n%s\narchive:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		})
	}
}

// place is the chart's directory, in which dependencies are packed as asked.
func (s story) place(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("testdata", "charts", s.chart)
	if s.chart == "created" {
		dir = filepath.Join(t.TempDir(), "created")
		if out, err := exec.CommandContext(t.Context(), reference.Program(t), "create", dir).CombinedOutput(); err != nil {
			t.Fatalf("helm create: %v\n%s", err, out)
		}
	}
	if len(s.packed) == 0 {
		return dir
	}
	copied := filepath.Join(t.TempDir(), s.chart)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.packed {
		sub := filepath.Join(copied, "charts", name)
		if err := os.WriteFile(sub+"-1.tgz", archive(t, sub, name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(sub); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

func (s story) input(dir string) Input {
	in := Input{Chart: os.DirFS(dir), Release: "shop", Namespace: "prod", Set: s.set, APIVersions: s.versions}
	for i, values := range s.values {
		in.Values = append(in.Values, ValuesFile{fmt.Sprintf("values-%d.yaml", i), []byte(values)})
	}
	return in
}

// reference is what helm template gives, without what never runs here.
func (s story) reference(t *testing.T, program, dir string) []string {
	t.Helper()
	args := []string{"template", "shop", dir, "--namespace", "prod", "--include-crds", "--kube-version", DefaultKubeVersion}
	for i, values := range s.values {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("values-%d.yaml", i))
		if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--values", file)
	}
	for name, value := range s.set {
		args = append(args, "--set", name+"="+literal(value))
	}
	for _, version := range s.versions {
		args = append(args, "--api-versions", version)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "PATH=/nonexistent"}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm %q: %v\n%s", args, err, complaint.String())
	}
	var all []string
	source := ""
	for _, part := range split(string(out)) {
		first, rest, _ := strings.Cut(part, "\n")
		if named, ok := strings.CutPrefix(first, "# Source: "); ok {
			_, source, _ = strings.Cut(named, "/")
		} else { // one more of the same file
			rest = part
		}
		if object := canonical(t, source, []byte(rest)); object != "" {
			all = append(all, object)
		}
	}
	slices.Sort(all)
	return all
}

func ourObjects(t *testing.T, docs []document.Document) []string {
	t.Helper()
	var all []string
	for _, d := range docs {
		if object := canonical(t, d.Source, d.YAML); object != "" {
			all = append(all, object)
		}
	}
	slices.Sort(all)
	return all
}

// canonical is one document in a form to be compared; empty for one without
// content, and for a hook of a time that never comes. Our own annotation is left
// out.
func canonical(t *testing.T, source string, text []byte) string {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal(text, &object); err != nil {
		t.Fatalf("%s: %v\n%s", source, err, text)
	}
	if object == nil {
		return ""
	}
	metadata, _ := object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	if h, ok := annotations[hookAnnotation].(string); ok && !strings.Contains(strings.ToLower(h), "-install") {
		return ""
	}
	if annotations[policyAnnotation] != nil {
		delete(annotations, pruneAnnotation)
	}
	data, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return source + " " + string(data)
}

// archive packs a directory as helm package does, below the chart's name.
func archive(t *testing.T, dir, name string) []byte {
	t.Helper()
	files := map[string]string{}
	all, err := Input{Chart: os.DirFS(dir)}.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		files[name+"/"+f.Name] = string(f.Data)
	}
	return packed(t, files)
}

func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	pack := tar.NewWriter(zip)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := pack.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := pack.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
