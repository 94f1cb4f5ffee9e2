package compose

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// noteNested says which files would be apps if they did not stand below this
// one. What is included, extended or mounted is used, and no app.
func (a *app) noteNested() {
	var found []string
	for _, p := range a.repo.Below(a.req.App.Dir) {
		if a.wouldBeApp(p) && !a.repo.IsInput(p) && !a.isMounted(p) {
			found = append(found, p)
		}
	}
	if len(found) > 0 {
		a.note("%s: no other apps are looked for in this app's directory; ignored: %s", a.req.App.Dir, few(found))
	}
}

// wouldBeApp tells of a file that makes an app of a directory further down.
func (a *app) wouldBeApp(p string) bool {
	dir, name := path.Split(p)
	if dir = path.Clean(dir); dir == a.req.App.Dir {
		return false
	}
	hidden := strings.HasPrefix(dir, ".") || strings.Contains(dir, "/.")
	return !hidden && slices.Contains(append(composeFiles(), settingsFile), name)
}

// isMounted tells whether a container mounts a directory that holds the path.
func (a *app) isMounted(p string) bool {
	for _, m := range a.mounts {
		if m.Path == "." || strings.HasPrefix(p, m.Path+"/") {
			return true
		}
	}
	return false
}

// few lists some names, and how many more there are.
func few(names []string) string {
	text := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}
