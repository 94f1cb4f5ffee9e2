package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestSchemasAreCurrent(t *testing.T) {
	for name, schema := range map[string]func() ([]byte, error){"syncd.schema.json": HostSchema, "app.schema.json": AppSchema} {
		want, err := schema()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", "schemas", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("schemas/%s is not current: run go generate ./internal/config", name)
		}
	}
}

func TestEveryKeyIsDescribedInOrder(t *testing.T) {
	for root, docs := range map[reflect.Type][]keyDoc{reflect.TypeFor[Host](): hostKeys(), reflect.TypeFor[App](): appKeys()} {
		var described []string
		for _, doc := range docs {
			described = append(described, doc.path)
			if doc.text == "" {
				t.Errorf("%s has no meaning", doc.path)
			}
		}
		want := slices.DeleteFunc(pathsOf(root, ""), func(path string) bool { return strings.HasSuffix(path, "."+placeholder) })
		if !slices.Equal(described, want) {
			t.Errorf("described %v\ntypes     %v", described, want)
		}
	}
}

// The page is checked row by row, so that neither a key nor a default in it can
// be wrong.
func TestEveryKeyIsInTheDocumentation(t *testing.T) {
	page := documentation(t)
	for _, doc := range slices.Concat(hostKeys(), appKeys()) {
		row := "| `" + doc.path + "` | " + shown(doc) + " | " + doc.text + " |\n"
		if !strings.Contains(page, row) {
			t.Errorf("docs/configuration.md lacks the row:\n%s", row)
		}
	}
}

func shown(doc keyDoc) string {
	if doc.deflt == "" {
		return ""
	}
	if strings.Contains(doc.deflt, " ") || doc.deflt == "none" {
		return doc.deflt
	}
	return "`" + doc.deflt + "`"
}

// Every example of the page is one that a user may copy.
func TestExamplesInTheDocumentationDecode(t *testing.T) {
	var hosts, apps int
	for i, block := range strings.Split(documentation(t)+page(t, "mirrors.md")+page(t, "triggers.md")+page(t, "drift.md"), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		var err error
		switch {
		case strings.HasPrefix(text, "# syncd.yaml"):
			hosts++
			_, err = DecodeHost("syncd.yaml", []byte(text))
		case strings.HasPrefix(text, "# .syncd.yaml"):
			apps++
			_, err = DecodeApp(".syncd.yaml", []byte(text))
		}
		if err != nil {
			t.Errorf("example %d: %v", i+1, err)
		}
	}
	if hosts == 0 || apps == 0 {
		t.Errorf("%d examples of syncd.yaml and %d of .syncd.yaml: want at least one each", hosts, apps)
	}
}

func documentation(t *testing.T) string {
	t.Helper()
	return page(t, "configuration.md")
}

func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The defaults that the page names are those of the code.
func TestDocumentedDefaultsAreReal(t *testing.T) {
	h := Host{}.Defaults()
	app := App{}
	documented := map[string]string{
		"state": h.State, "socket": h.Socket, "repo.interval": h.Repo.Interval.String(),
		"webhook.path": h.Webhook.Path, "webhook.pause": h.Webhook.Pause.String(),
		"limits.fetchTime": h.Limits.FetchTime.String(), "limits.fetchMemory": h.Limits.FetchMemory.String(), "limits.fetchDisk": h.Limits.FetchDisk.String(),
		"limits.file": h.Limits.File.String(), "limits.renderTime": h.Limits.RenderTime.String(), "limits.renderSize": h.Limits.RenderSize.String(),
		"rollout.timeout": Duration(app.ReadyTimeout()).String(), "rollout.soak": Duration(app.Soak()).String(),
	}
	numbers := map[string]any{
		"limits.files": h.Limits.Files, "limits.commits": h.Limits.Commits, "limits.objects": h.Limits.Objects, "rollback.keep": app.KeepGood(), "health.budget": app.RestartBudget(),
		"sync.auto": app.AutoSync(), "sync.selfHeal": app.SelfHeal(), "sync.prune": app.Prune(), "rollback.auto": app.AutoRollback(),
	}
	for _, doc := range slices.Concat(hostKeys(), appKeys()) {
		if want, ok := documented[doc.path]; ok && doc.deflt != want {
			t.Errorf("%s: documented %s, in truth %s", doc.path, doc.deflt, want)
		}
		if want, ok := numbers[doc.path]; ok {
			if got, _ := defaultOf(reflect.TypeOf(want), doc.deflt); got != want {
				t.Errorf("%s: documented %s, in truth %v", doc.path, doc.deflt, want)
			}
		}
	}
}
