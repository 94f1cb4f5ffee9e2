package compose

import (
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/render/find"
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
		a.note("%s: no other apps are looked for in this app's directory; ignored: %s", a.req.App.Dir, find.Few(found))
	}
}

// wouldBeApp tells of a file that makes an app of a directory further down.
func (a *app) wouldBeApp(p string) bool {
	dir, name := path.Split(p)
	if dir = path.Clean(dir); dir == a.req.App.Dir {
		return false
	}
	hidden := strings.HasPrefix(dir, ".") || strings.Contains(dir, "/.")
	return !hidden && slices.Contains(append(composeFiles(), find.Settings), name)
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
