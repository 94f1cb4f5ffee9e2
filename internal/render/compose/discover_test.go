package compose

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

func discover(t *testing.T, f files, path string) []render.App {
	t.Helper()
	d, err := Discover(t.Context(), render.DiscoverRequest{Root: f.write(t), Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return d.Apps
}

func TestDiscoverFindsEveryAppOnce(t *testing.T) {
	apps := discover(t, files{
		"README.md":                               "x",
		"shop/compose.yaml":                       webOnly,
		"shop/sub/compose.yaml":                   webOnly, // part of shop
		"My App!/docker-compose.yml":              webOnly,
		"named/compose.yml":                       "name: In_File\n" + webOnly,
		"override/docker-compose.yaml":            "name: first\n" + webOnly,
		"override/compose.override.yaml":          "name: second\n",
		"settings/.syncd.yaml":                    "name: from-settings\n",
		"settings/docker-compose.yml":             webOnly,
		"deep/er/and/deeper/compose.yaml":         webOnly,
		".github/compose.yaml":                    webOnly,
		strings.Repeat("d/", 21) + "compose.yaml": webOnly,
		"linked/compose.yaml":                     "-> ../shop/compose.yaml",
	}, "")
	want := map[string]string{
		"shop": "shop", "My App!": "myapp", "named": "in_file", "override": "second",
		"settings": "from-settings", "deep/er/and/deeper": "deeper", "linked": "linked",
	}
	for i, app := range apps {
		if app.Error != "" || want[app.Dir] != app.Name {
			t.Errorf("%s: name %q, want %q (%s)", app.Dir, app.Name, want[app.Dir], app.Error)
		}
		if i > 0 && apps[i-1].Dir >= app.Dir {
			t.Errorf("%s is not in order", app.Dir)
		}
	}
	if len(apps) != len(want) {
		t.Errorf("%d apps, want %d", len(apps), len(want))
	}
}

func TestDiscoverBelowAPath(t *testing.T) {
	f := files{"hosts/a/compose.yaml": webOnly, "other/compose.yaml": webOnly}
	if apps := discover(t, f, "hosts"); len(apps) != 1 || apps[0].Dir != "hosts/a" || apps[0].Name != "a" {
		t.Errorf("%+v", apps)
	}
	for _, path := range []string{"../x", "/etc", "nothing", "hosts/a/compose.yaml"} {
		_, err := Discover(t.Context(), render.DiscoverRequest{Root: f.write(t), Path: path})
		if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), path) || fault.Advice(err) == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if apps := discover(t, files{"README.md": "x"}, ""); len(apps) != 0 {
		t.Errorf("%+v", apps)
	}
}

func TestAnAppAtTheRootMustHaveAName(t *testing.T) {
	for path, f := range map[string]files{"": {"compose.yaml": webOnly}, "apps": {"apps/compose.yaml": webOnly}} {
		apps := discover(t, f, path)
		if len(apps) != 1 || !strings.Contains(apps[0].Error, "has no name") || !strings.Contains(apps[0].Hint, "name:") {
			t.Errorf("%+v", apps)
		}
	}
	if apps := discover(t, files{"compose.yaml": "name: shop\n" + webOnly}, ""); apps[0].Error != "" || apps[0].Name != "shop" || apps[0].Dir != "." {
		t.Errorf("%+v", apps)
	}
}

func TestOneBrokenAppBreaksNoOther(t *testing.T) {
	broken := files{
		"syntax/compose.yaml":   "services: {",
		"list/compose.yaml":     "[]",
		"empty/compose.yaml":    "",
		"variable/compose.yaml": "name: ${NAME}\n" + webOnly,
		"nameless/compose.yaml": "name: '!!!'\n" + webOnly,
		"lost/.syncd.yaml":      "owner: me\n",
		"outside/compose.yaml":  "-> /etc/passwd",
		"settings/compose.yaml": webOnly,
		"settings/.syncd.yaml":  "-> ../../x",
		"listed/.syncd.yaml":    "compose: [gone.yaml]\n",
	}
	apps := discover(t, merge(broken, files{"good/compose.yaml": webOnly}), "")
	for _, app := range apps {
		if (app.Error == "") != (app.Dir == "good") {
			t.Errorf("%s: error %q", app.Dir, app.Error)
		}
		if app.Error != "" && !strings.Contains(app.Error, app.Dir) {
			t.Errorf("%s: the error does not name it: %s", app.Dir, app.Error)
		}
		if app.Name == "" || strings.Contains(app.Error, "/tmp/") || strings.Contains(app.Error, "root:") {
			t.Errorf("%s: name %q, error %q", app.Dir, app.Name, app.Error)
		}
	}
	if len(apps) != 10 {
		t.Errorf("%d apps", len(apps))
	}
}

func TestTwoAppsOfOneNameAreBothInError(t *testing.T) {
	apps := discover(t, files{
		"a/compose.yaml": "name: shop\n" + webOnly, "b/compose.yaml": "name: Shop\n" + webOnly, "c/compose.yaml": webOnly,
	}, "")
	for _, app := range apps {
		switch {
		case app.Dir == "c" && app.Error != "":
			t.Errorf("%+v", app)
		case app.Dir != "c" && (!strings.Contains(app.Error, "a, b") || !strings.Contains(app.Hint, "name:")):
			t.Errorf("%+v", app)
		}
	}
}

func TestABrokenAppIsNotRendered(t *testing.T) {
	req := web("").request(t)
	req.App.Error, req.App.Hint = "several apps are called shop", "name them"
	mustFail(t, req, fault.Rejected, "several apps", "name them")
}

func TestARefusedComposeFileIsAnAppInError(t *testing.T) {
	root := files{"a/README.md": "x", "b/compose.yaml": webOnly}.write(t)
	d, err := Discover(t.Context(), render.DiscoverRequest{Root: root, Refused: map[string]string{"a/compose.yaml": "larger than 5 MiB"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Apps) != 2 || d.Apps[0].Name != "a" || !strings.Contains(d.Apps[0].Error, "larger than 5 MiB") || d.Apps[1].Error != "" {
		t.Errorf("%+v", d.Apps)
	}
}

// lines is a Compose file of that many bytes at least, which takes its time.
func lines(bytes int) string {
	var out strings.Builder
	out.WriteString("services:\n  web:\n    image: a\n    labels:\n")
	for i := 0; out.Len() < bytes; i++ {
		fmt.Fprintf(&out, "      l%06d: x\n", i)
	}
	return out.String()
}

// Finding the apps of a repository takes a bounded time and answer, and whoever
// wants more than a share is alone in error.
func TestOneGreedyAppStopsNoOther(t *testing.T) {
	listed := func(n int) string {
		out := "compose:\n"
		for i := range n {
			out += fmt.Sprintf("- c%d.yaml\n", i)
		}
		return out
	}
	big := lines(1 << 20)
	for name, c := range map[string]struct {
		files files
		words []string
	}{
		"one file again and again": {files{"bad/compose.yaml": lines(64 << 10), "bad/.syncd.yaml": "compose: [" + strings.Repeat("compose.yaml, ", 4000) + "compose.yaml]\n"}, []string{"bad/.syncd.yaml", "compose", "compose.yaml", "twice"}},
		"too many files":           {files{"bad/.syncd.yaml": listed(201), "bad/compose.yaml": webOnly}, []string{"bad/.syncd.yaml", "compose", "200"}},
		"too much in all":          {files{"bad/.syncd.yaml": listed(5), "bad/c0.yaml": big, "bad/c1.yaml": big, "bad/c2.yaml": big, "bad/c3.yaml": big, "bad/c4.yaml": big}, []string{"bad: the Compose files", "4 MiB"}},
		"long settings":            {files{"bad/compose.yaml": webOnly, "bad/.syncd.yaml": "owner: " + strings.Repeat("x", 100<<10) + "\n"}, []string{"bad/.syncd.yaml", "65536"}},
		"a long name":              {files{"bad/compose.yaml": "name: " + strings.Repeat("x", 100<<10) + "\n" + webOnly}, []string{"bad/compose.yaml", "name"}},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func() {
				apps := discover(t, merge(c.files, files{"good/compose.yaml": webOnly}), "")
				if len(apps) != 2 || apps[1].Error != "" || apps[1].Name != "good" || apps[0].Name != "bad" {
					t.Fatalf("%+v", apps)
				}
				for _, w := range c.words {
					if !strings.Contains(apps[0].Error, w) {
						t.Errorf("the error lacks %q: %s", w, apps[0].Error)
					}
				}
			})
		})
	}
}

func TestManyGreedyAppsStopNoOther(t *testing.T) {
	f := files{"z/compose.yaml": webOnly, "z/.syncd.yaml": "owner: me\n"}
	for i := range 40 {
		f[fmt.Sprintf("heavy%02d/compose.yaml", i)] = lines(1 << 20)
	}
	for i := range 100 {
		f[fmt.Sprintf("long%02d/compose.yaml", i)] = webOnly
		f[fmt.Sprintf("long%02d/.syncd.yaml", i)] = "owner: " + strings.Repeat("<", 60<<10) + "\n"
	}
	within(t, func() {
		apps := discover(t, f, "")
		bad := 0
		for _, app := range apps {
			if app.Error != "" {
				bad++
			}
			if app.Dir == "z" && (app.Error != "" || app.Config.Owner != "me") {
				t.Errorf("%+v", app)
			}
		}
		if bad < 100 || bad == len(apps) {
			t.Errorf("%d of %d apps in error", bad, len(apps))
		}
		if size := len(marshal(t, apps)); size > 8<<20 {
			t.Errorf("the answer has %d bytes", size)
		}
	})
}

// A thousand more directories stop nobody, and neither do a thousand mistakes.
func TestManyAppsStopNoOther(t *testing.T) {
	f := files{"z/compose.yaml": webOnly}
	for i := range 1500 {
		f[fmt.Sprintf("d%04d/compose.yaml", i)] = "name: same\n" + webOnly
	}
	deep := strings.Repeat(strings.Repeat("d", 200)+"/", 5)
	for i := range 500 {
		f[fmt.Sprintf("%s%04d/compose.yaml", deep, i)] = "["
	}
	apps := discover(t, f, "")
	if last := apps[len(apps)-1]; last.Dir != "z" || last.Error != "" {
		t.Errorf("%+v", last)
	}
	if want := "several apps are called same: d0000, d0001, d0002, d0003, d0004 and 1495 more"; apps[0].Error != want {
		t.Errorf("%s\nwant %s", apps[0].Error, want)
	}
	if size := len(marshal(t, apps)); size > 2<<20 {
		t.Errorf("the answer has %d bytes", size)
	}
}

// An app that broke is still the one that it was: its name is the one it says.
func TestABrokenAppKeepsItsName(t *testing.T) {
	apps := discover(t, files{
		"prod/web/compose.yaml":          webOnly,
		"test/web/compose.yaml":          "# the other one\nname: 'Test-Web' # says so\nservices: {",
		"a/compose.yaml":                 "services: {web: {image: a, labels: [{}]}}\nname: a-name\n[",
		"b/compose.yaml":                 webOnly,
		"b/.syncd.yaml":                  "name: b-name\nunknown: x\n",
		"!!!/compose.yaml":               "[",
		"nested/compose.yaml":            "x-a:\n  name: inner\n[",
		"override/compose.yaml":          "name: first\n[",
		"override/compose.override.yaml": "name: second\n",
	}, "")
	want := map[string]string{"prod/web": "web", "test/web": "test-web", "a": "a-name", "b": "b-name", "!!!": "unnamed", "nested": "nested", "override": "second"}
	for _, app := range apps {
		if app.Name != want[app.Dir] || (app.Error == "") != (app.Dir == "prod/web") {
			t.Errorf("%s: name %q, want %q; error %q", app.Dir, app.Name, want[app.Dir], app.Error)
		}
	}
	if len(apps) != len(want) {
		t.Errorf("%d apps, want %d", len(apps), len(want))
	}
}

func TestTheNameIsThatOfTheDocument(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\n---\nname: b\n":                          "b",
		"x-a: &a {name: merged}\n<<: *a\n":                 "merged",
		"x-a: &a {name: merged}\n<<: [{x-b: 1}, *a]\n":     "merged",
		"x-a: &a {name: merged}\n<<: *a\nname: own\n":      "own",
		"x-a: &a anchored\nname: *a\n":                     "anchored",
		"name: !reset a\n":                                 "app",
		"name: null\n":                                     "app",
		"name: \"\"\n":                                     "app",
		"{name: 'flow', services: {web: {image: a}}}\n#\n": "flow",
	} {
		if !strings.HasPrefix(text, "{") {
			text += webOnly
		}
		if apps := discover(t, files{"app/compose.yaml": text}, ""); apps[0].Name != want || apps[0].Error != "" {
			t.Errorf("%q: %+v, want %s", text, apps[0], want)
		}
	}
}

// A Compose file below an app is no app of its own, and that is said.
func TestANestedAppIsNoted(t *testing.T) {
	f := merge(one("include: [used/compose.yaml]\n"+service("web", "image: a\nvolumes: ['./conf:/conf:ro']")), files{
		"app/used/compose.yaml": "services: {used: {image: a}}\n", "app/conf/compose.yaml": webOnly, "app/.github/compose.yaml": webOnly, "other/compose.yaml": webOnly, "app/sub/README.md": "x",
	})
	if notes := mustRender(t, f.request(t)).Notes; len(notes) != 0 {
		t.Errorf("notes %q", notes)
	}
	f = merge(f, files{"app/sub/compose.yaml": webOnly, "app/sub/deep/docker-compose.yml": webOnly, "app/set/.syncd.yaml": "owner: me\n"})
	want := "app: no other apps are looked for in this app's directory; ignored: app/set/.syncd.yaml, app/sub/compose.yaml, app/sub/deep/docker-compose.yml"
	if notes := mustRender(t, f.request(t)).Notes; len(notes) != 1 || notes[0] != want {
		t.Errorf("notes %q, want %q", notes, want)
	}
	for i := range 10 {
		f[fmt.Sprintf("app/x%d/compose.yaml", i)] = webOnly
	}
	if notes := mustRender(t, f.request(t)).Notes; len(notes) != 1 || !strings.HasSuffix(notes[0], "app/x1/compose.yaml and 8 more") {
		t.Errorf("notes %q", notes)
	}
}

// One repository may hold apps for engines and for clusters.
func TestWhatIsForAClusterIsPassedOver(t *testing.T) {
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	apps := discover(t, files{
		"settings/.syncd.yaml":         "kubernetes: {}\n",
		"settings/docker/compose.yaml": webOnly, // below a cluster's app, and one of its own
		"flow/.syncd.yaml":             "{name: x, kubernetes: {path: a}}\n",
		"broken/.syncd.yaml":           "kubernetes:\n  path: [\n",
		"named/.syncd.yaml":            "name: other\n",
		"named/kustomization.yaml":     "resources: []\n",
		"chart/.syncd.yaml":            "name: chart\n",
		"chart/Chart.yaml":             "name: chart\n",
		"manifest/.syncd.yaml":         "name: manifest\n",
		"manifest/a.yaml":              "# a comment\n---\n" + manifest,
		"both/.syncd.yaml":             "kubernetes: {path: k8s}\n",
		"both/compose.yaml":            webOnly,
		"listed/.syncd.yaml":           "kubernetes: {}\ncompose: [a.yaml]\n",
		"listed/a.yaml":                webOnly,
		"values/.syncd.yaml":           "name: values\n",
		"values/values.yaml":           "a:\n  apiVersion: v1\n  kind: b\n",
	}, "")
	var got []string
	for _, app := range apps {
		got = append(got, app.Dir)
	}
	if want := "both listed settings/docker values"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
}
