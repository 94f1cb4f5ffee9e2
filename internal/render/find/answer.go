package find

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
)

// Answer returns the apps in the order of their directories, each with its own
// error. rough is what a broken app is called, names where an app can be given one.
func (f *Find) Answer(rough func(*Candidate) string, names string) []render.App {
	text := 0
	out := make([]render.App, 0, len(f.Apps))
	for _, c := range f.Apps {
		if c.Err != nil {
			c.Name, c.Error, c.Hint = rough(c), mistake.Message(c.Err, f.Repo.Base(), nil), fault.Advice(c.Err)
		}
		out = append(out, c.App)
	}
	slices.SortFunc(out, func(x, y render.App) int { return cmp.Compare(x.Dir, y.Dir) })
	unique(out, names)
	for i := range out {
		app := &out[i]
		if text += len(app.Error) + len(app.Hint); app.Error != "" && text > allErrors {
			app.Error, app.Hint = "as many others of this repository, the app cannot be used", ""
		}
	}
	return out
}

// unique marks apps that share a name.
func unique(apps []render.App, names string) {
	byName := map[string][]int{}
	for i, app := range apps {
		byName[app.Name] = append(byName[app.Name], i)
	}
	for name, group := range byName {
		if len(group) < 2 {
			continue
		}
		var dirs []string
		for _, i := range group {
			dirs = append(dirs, apps[i].Dir)
		}
		for _, i := range group {
			if apps[i].Error == "" {
				apps[i].Error = fmt.Sprintf("several apps are called %s: %s", name, Few(dirs))
				apps[i].Hint = "give each its own `name:` in " + names
			}
		}
	}
}

// Few lists some names, and how many more there are.
func Few(names []string) string {
	text := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
