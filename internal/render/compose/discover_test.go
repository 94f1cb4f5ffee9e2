package compose

import (
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
