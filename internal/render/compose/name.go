package compose

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/syntax"
)

// name is that of the Compose file, else of .syncd.yaml, else the directory's,
// in Compose's own form: lower case, letters, digits, - and _.
func (d *discovery) name(app render.App, written, file string) (string, error) {
	if strings.Contains(written, "$") {
		return "", mistake.Rejected("write the name itself; what is called by it must not change with a variable", "%s: name: %s holds a variable", file, written)
	}
	own := path.Join(app.Dir, find.Settings)
	if written == "" {
		written, file = app.Config.Name, own
	}
	if written == "" {
		if app.Dir == d.Start || app.Dir == "." {
			return "", mistake.Rejected("write `name:` into the Compose file or into "+own, "%s: the app at the root of the repository has no name", app.Dir)
		}
		written, file = path.Base(app.Dir), app.Dir
	}
	name := loader.NormalizeProjectName(written)
	switch {
	case name == "":
		return "", mistake.Rejected("a name has a letter or a digit", "%s: name: %q is no name of a project", file, written)
	case len(name) > maxName:
		return "", mistake.Rejected("", "%s: name: longer than %d bytes", file, maxName)
	}
	return name, nil
}

// nameIn returns the `name:` of a document, its own or one that is merged into it.
func nameIn(node *yaml.Node, depth int) string {
	if _, value := child(node, "name"); value != nil {
		if text := target(value); text.Kind == yaml.ScalarNode && text.ShortTag() == "!!str" {
			return text.Value
		}
		return ""
	}
	_, merged := child(node, "<<")
	if merged = target(merged); merged == nil || depth == syntax.MaxDepth {
		return ""
	}
	if merged.Kind != yaml.SequenceNode {
		return nameIn(merged, depth+1)
	}
	for _, one := range merged.Content {
		if text := nameIn(one, depth+1); text != "" {
			return text
		}
	}
	return ""
}

// roughName is what a broken app is called: it must not be taken for another
// one, nor for a new one. It is what looks like a name in the beginning of its
// files, else that of the directory.
func (d *discovery) roughName(c *find.Candidate) string {
	files := d.files[c]
	if len(files) == 0 {
		a := newApp(render.Request{Shared: &render.Shared{}, App: render.App{Dir: c.Dir}}, d.Repo)
		files = append(a.firstOf(overrideFiles()), a.firstOf(composeFiles())...)
		slices.Reverse(files)
	}
	if name := loader.NormalizeProjectName(c.Config.Name); len(name) <= maxName {
		c.Name = name
	}
	form := regexp.MustCompile(`(?m)^name:[ \t]+["']?([\w.-]+)["']?[ \t\r]*(#|$)`)
	for _, f := range append([]string{c.Settings()}, files...) {
		if m := form.FindStringSubmatch(d.Repo.Head(f, maxHead)); m != nil && len(m[1]) <= maxName {
			c.Name = loader.NormalizeProjectName(m[1])
		}
	}
	return cmp.Or(c.Name, loader.NormalizeProjectName(path.Base(c.Dir)), "unnamed")
}
