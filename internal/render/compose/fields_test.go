package compose

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

// row is one line of a table of docs/compose.md.
type row struct{ section, field, status string }

func (r row) name() string { return r.section + "." + r.field }

// table reads docs/compose.md.
func table(t *testing.T) []row {
	t.Helper()
	data, err := os.ReadFile("../../../docs/compose.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile("^\\| `([^`]+)` \\| (\\w+) \\|")
	var out []row
	section := ""
	for text := range strings.Lines(string(data)) {
		if heading, ok := strings.CutPrefix(text, "## "); ok {
			section = strings.TrimSpace(heading)
		}
		if m := line.FindStringSubmatch(text); m != nil && section != "x-syncd" {
			out = append(out, row{section, m[1], m[2]})
		}
	}
	return out
}

// documented maps the sections of docs/compose.md to compose-go's types.
func documented() map[string]any {
	return map[string]any{
		"Top level":                                     types.Project{},
		"include":                                       types.IncludeConfig{},
		"services.*":                                    types.ServiceConfig{},
		"services.*.depends_on.*":                       types.ServiceDependency{},
		"services.*.extends":                            types.ExtendsConfig{},
		"services.*.env_file.*":                         types.EnvFile{},
		"services.*.healthcheck":                        types.HealthCheckConfig{},
		"services.*.ports.*":                            types.ServicePortConfig{},
		"services.*.volumes.*":                          types.ServiceVolumeConfig{},
		"services.*.volumes.*.bind":                     types.ServiceVolumeBind{},
		"services.*.volumes.*.volume":                   types.ServiceVolumeVolume{},
		"services.*.volumes.*.tmpfs":                    types.ServiceVolumeTmpfs{},
		"services.*.volumes.*.image":                    types.ServiceVolumeImage{},
		"services.*.networks.*":                         types.ServiceNetworkConfig{},
		"services.*.configs.* and services.*.secrets.*": types.FileReferenceConfig{},
		"services.*.logging":                            types.LoggingConfig{},
		"services.*.blkio_config":                       types.BlkioConfig{},
		"services.*.devices.*":                          types.DeviceMapping{},
		"services.*.gpus.* and services.*.deploy.resources.reservations.devices.*": types.DeviceRequest{},
		"services.*.ulimits.*":                              types.UlimitsConfig{},
		"services.*.post_start.* and services.*.pre_stop.*": types.ServiceHook{},
		"services.*.deploy":                                 types.DeployConfig{},
		"services.*.deploy.update_config and services.*.deploy.rollback_config": types.UpdateConfig{},
		"services.*.deploy.resources":                                           types.Resources{},
		"services.*.deploy.resources.limits":                                    types.Resource{},
		"services.*.deploy.resources.reservations":                              types.Resource{},
		"services.*.deploy.restart_policy":                                      types.RestartPolicy{},
		"networks.*":                                                            types.NetworkConfig{},
		"networks.*.ipam":                                                       types.IPAMConfig{},
		"networks.*.ipam.config.*":                                              types.IPAMPool{},
		"volumes.*":                                                             types.VolumeConfig{},
		"configs.* and secrets.*":                                               types.FileObjectConfig{},
	}
}

// fieldsOf returns the YAML names of a type's fields.
func fieldsOf(v reflect.Type) []string {
	var out []string
	for i := range v.NumField() {
		f := v.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Anonymous:
			out = append(out, fieldsOf(f.Type)...)
		case name != "" && name != "-" && !strings.HasPrefix(name, "#") && !strings.Contains(options, "inline"):
			out = append(out, name)
		}
	}
	return out
}

func TestDocsListEveryFieldOfComposeGo(t *testing.T) {
	have := map[string][]string{}
	for _, r := range table(t) {
		have[r.section] = append(have[r.section], r.field)
		if !slices.Contains([]string{"supported", "noted", "error"}, r.status) {
			t.Errorf("docs/compose.md: %s: unknown status %q", r.name(), r.status)
		}
	}
	for section, typed := range documented() {
		want := fieldsOf(reflect.TypeOf(typed))
		switch section {
		case "Top level":
			want = append(want, "version", "include") // read by the loader, no part of the type
		case "services.*":
			want = slices.DeleteFunc(want, func(f string) bool { return f == "name" }) // the key
		}
		for _, f := range want {
			if !slices.Contains(have[section], f) {
				t.Errorf("docs/compose.md: %s lacks %s", section, f)
			}
		}
		for _, f := range have[section] {
			if !slices.Contains(want, f) {
				t.Errorf("docs/compose.md: %s: compose-go knows no %s", section, f)
			}
		}
	}
	for section := range have {
		if _, ok := documented()[section]; !ok {
			t.Errorf("docs/compose.md: no type for the section %s", section)
		}
	}
}

func TestEveryFieldDoesWhatTheDocsSay(t *testing.T) {
	snippets := snippets()
	used := map[string]bool{}
	for _, r := range table(t) {
		t.Run(r.name(), func(t *testing.T) {
			text, ok := snippets[r.name()]
			if !ok {
				t.Fatal("no snippet")
			}
			used[r.name()] = true
			try(t, r, text)
		})
	}
	for name := range snippets {
		if !used[name] {
			t.Errorf("a snippet for %s, which docs/compose.md does not list", name)
		}
	}
}

// try renders the snippet without and with what stands between « and ».
func try(t *testing.T, r row, text string) {
	t.Helper()
	if !strings.Contains(text, "services:") {
		text = service("web", "image: nginx:1\n"+text)
	}
	marked := regexp.MustCompile(`(?s)«(.*?)»`)
	without := fixture(t, marked.ReplaceAllString(text, ""))
	with := fixture(t, strings.NewReplacer("«", "", "»", "").Replace(text))
	before := mustRender(t, without)
	switch r.status {
	case "error":
		words := []string{"app/compose.yaml", r.field}
		if strings.HasPrefix(r.section, "services.") {
			words = append(words, "web")
		}
		mustFail(t, with, fault.Rejected, words...)
	case "noted":
		after := mustRender(t, with)
		if !bytes.Equal(encoded(t, before), encoded(t, after)) {
			t.Error("a field that is ignored changes the objects")
		}
		if !slices.ContainsFunc(after.Notes, func(n string) bool { return strings.Contains(n, r.field) && strings.HasPrefix(n, "app/") }) {
			t.Errorf("no note names %s: %q", r.field, after.Notes)
		}
	case "supported":
		if bytes.Equal(encoded(t, before), encoded(t, mustRender(t, with))) {
			t.Error("the field changes nothing")
		}
	}
}

func encoded(t *testing.T, a render.Answer) []byte {
	t.Helper()
	out, err := json.Marshal(struct {
		Objects any
		Mounts  any
	}{a.Objects, a.Mounts})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fixture is a repository with everything that the snippets refer to.
func fixture(t *testing.T, compose string) render.Request {
	t.Helper()
	req := files{
		"app/compose.yaml":   compose,
		"app/a.env":          "A=from a\n",
		"app/b.env":          "A=from b\n",
		"app/raw.env":        "A='quoted'\n",
		"app/labels":         "a=b\n",
		"app/conf/a.conf":    "a",
		"app/conf/a.confx":   "b",
		"app/base.yaml":      "services:\n  a: {image: base:a, hostname: a}\n  ab: {image: base:b, hostname: b}\n",
		"app/other.yaml":     "services:\n  a: {image: other:a, hostname: a}\n",
		"app/sub/inner.yaml": "services:\n  inner: {image: inner:1, volumes: ['./x:/x:ro'], environment: {V: '${V:-none}'}}\n",
		"app/sub/x/f":        "1",
		"app/dir/x/f":        "2",
		"app/dir/vars":       "V=given\n",
	}.request(t)
	req.App.Name, req.HostDir = "shop", "/srv/shop"
	req.Values = map[string]string{"GIVEN": "value", "GIVEN2": "other"}
	if strings.HasPrefix(compose, "name: other") {
		req.App.Name = "other" // as Discover says
	}
	return req
}
