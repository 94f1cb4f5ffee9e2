package kustomize

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
	"sigs.k8s.io/kustomize/api/types"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/render/syntax"
)

// checker goes through a kustomization and all that it is built on before anything
// is built: what would be fetched or run is refused by file and field, and what is
// broken is named by its line.
type checker struct {
	ctx   context.Context
	repo  *repo.Repo
	seen  map[string]bool // directories
	notes []string
	count int
	size  int64
	// ownSchema tells that one of them brings what kustomize is to know of kinds.
	ownSchema bool
	// places are where objects are written, by kind and name.
	places map[string][]string
}

// kustomization is one that is being checked.
type kustomization struct {
	types.Kustomization
	file string
	dir  string
	root *yaml.Node
}

// reject is a Rejected error about a field.
func (k kustomization) reject(field []string, hint, format string, args ...any) error {
	cause := fmt.Errorf(format, args...)
	return mistake.Rejected(hint, "%s:%d: %s: %w", k.file, syntax.Line(k.root, field...), dotted(field), cause)
}

func dotted(field []string) string {
	out := ""
	for i, key := range field {
		switch {
		case i == 0:
			out = key
		case strings.Trim(key, "0123456789") == "":
			out += "[" + key + "]"
		default:
			out += "." + key
		}
	}
	return out
}

// directory checks the kustomization of a directory without symlinks in its path,
// once.
func (c *checker) directory(dir string) error {
	if err := c.ctx.Err(); err != nil {
		return fmt.Errorf("check %s: %w", dir, err)
	}
	if c.seen[dir] {
		return nil
	}
	if c.seen[dir] = true; len(c.seen) > maxBases {
		return mistake.Rejected("", "%s: built on more than %d kustomizations", dir, maxBases)
	}
	k, err := c.load(dir)
	if err != nil {
		return err
	}
	if err := k.refused(); err != nil {
		return err
	}
	c.ownSchema = c.ownSchema || len(k.OpenAPI) > 0
	if warnings := k.CheckDeprecatedFields(); warnings != nil {
		for _, w := range *warnings {
			text, _, _ := strings.Cut(strings.TrimPrefix(w, "# Warning: "), " Run ")
			c.notes = append(c.notes, k.file+": "+strings.TrimSuffix(text, " [EXPERIMENTAL]"))
		}
	}
	var errs []error
	for _, u := range usesOf(k.Kustomization) {
		if err := c.use(k, u); err != nil {
			if errs = append(errs, err); len(errs) == mistake.MaxProblems {
				break
			}
		}
	}
	if len(errs) > 0 {
		return mistake.Joined(errs)
	}
	return nil
}

// load reads the kustomization of a directory, as kustomize does.
func (c *checker) load(dir string) (kustomization, error) {
	var found []string
	for _, name := range find.Kustomizations() {
		if p := path.Join(dir, name); c.repo.Exists(p) {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return kustomization{}, mistake.Rejected("keep one of them", "%s: %d kustomization files: %s", dir, len(found), strings.Join(found, ", "))
	}
	k := kustomization{file: found[0], dir: dir}
	data, err := c.repo.Read(k.file, maxFile)
	if err != nil {
		return k, err
	}
	docs, err := syntax.Documents(k.file, data)
	switch {
	case err != nil:
		return k, err
	case len(docs) != 1:
		return k, mistake.Rejected("", "%s: %d YAML documents: want one", k.file, len(docs))
	}
	k.root = docs[0].Root
	if err := k.Unmarshal(data); err != nil {
		return k, k.broken(err)
	}
	return k, nil
}

// broken is the error of a kustomization that cannot be decoded.
func (k kustomization) broken(err error) error {
	text := mistake.Message(errors.New(strings.TrimPrefix(err.Error(), "invalid Kustomization: ")), "\x00", nil)
	line := syntax.Line(k.root)
	if _, field, ok := strings.Cut(text, `unknown field "`); ok {
		field = strings.TrimSuffix(field, `"`)
		return mistake.Rejected("", "%s:%d: unknown field %q", k.file, anyLine(k.root, field), field)
	}
	hint := ""
	if strings.Contains(text, "cannot unmarshal bool") || strings.Contains(text, "cannot unmarshal number") {
		hint = "put the text in quotes: y, n, on, off and numbers are no text"
	}
	if at := fieldIn(text); at != "" {
		line = anyLine(k.root, at)
	}
	return mistake.Rejected(hint, "%s:%d: the kustomization cannot be read: %s", k.file, max(line, 1), strings.TrimPrefix(text, "json: "))
}

// fieldIn is the field that the decoder speaks of: "... struct field
// Kustomization.namespace of type string".
func fieldIn(text string) string {
	_, rest, _ := strings.Cut(text, "struct field ")
	path, _, _ := strings.Cut(rest, " ")
	return path[strings.LastIndex(path, ".")+1:]
}

// anyLine is where a key is written first, at any level.
func anyLine(n *yaml.Node, key string) int {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Value == key {
			return c.Line
		}
		if line := anyLine(c, key); line > 0 {
			return line
		}
	}
	return 0
}

// refused finds what is never run, whatever it would do.
func (k kustomization) refused() error {
	const hint = "a chart is an app of its own: see `kubernetes.helm` of .syncd.yaml"
	switch {
	case len(k.HelmCharts) > 0:
		return k.reject([]string{"helmCharts"}, hint, "not supported: kustomize would run helm, which fetches charts")
	case len(k.HelmChartInflationGenerator) > 0:
		return k.reject([]string{"helmChartInflationGenerator"}, hint, "not supported: kustomize would run helm, which fetches charts")
	case k.HelmGlobals != nil:
		return k.reject([]string{"helmGlobals"}, hint, "not supported: kustomize would run helm, which fetches charts")
	}
	return nil
}

// use checks one text that names a file or a directory.
func (c *checker) use(k kustomization, u use) error {
	if remote(u.text) {
		return k.reject(u.field, "put a copy into the repository; a directory that is called so is written with ./ in front", "%.200s: not in the repository, and nothing is fetched", u.text)
	}
	if strings.Contains(u.text, "\n") {
		switch u.kind {
		case usePatch:
			return nil
		case usePlugin:
			return c.plugin(k, u, k.file, []byte(u.text))
		}
	}
	written, err := repo.Join(k.dir, u.text)
	if err != nil {
		return k.reject(u.field, "", "%.200s: %w", u.text, err)
	}
	if written, err = c.repo.Follow(written); err != nil {
		return k.reject(u.field, "", "%.200s: %w", u.text, err)
	}
	if c.repo.IsDir(written) {
		return c.base(k, u, written)
	}
	return c.file(k, u, written)
}

// base checks a directory that is used.
func (c *checker) base(k kustomization, u use, dir string) error {
	if u.kind != useResource && u.kind != useComponent {
		return k.reject(u.field, "name a file", "%s: a directory", u.text)
	}
	for _, name := range find.Kustomizations() {
		if c.repo.Exists(path.Join(dir, name)) {
			return c.directory(dir)
		}
	}
	return k.reject(u.field, "name its files, or add a kustomization.yaml to it", "%s: a directory without a kustomization", u.text)
}

// file checks a file that is used.
func (c *checker) file(k kustomization, u use, file string) error {
	if u.kind == useComponent {
		return k.reject(u.field, "name the directory that holds it", "%.200s: no directory", u.text)
	}
	if c.count++; c.count > maxFiles {
		return mistake.Rejected("split the app", "%s: built of more than %d files", k.file, maxFiles)
	}
	data, err := c.repo.Read(file, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && u.kind == usePatch && strings.ContainsAny(u.text, ":{"):
		return nil // a patch in one line
	case errors.Is(err, fs.ErrNotExist):
		return k.reject(u.field, "", "%.200s: there is no such file", u.text)
	case err != nil:
		return k.reject(u.field, "", "%w", err)
	}
	if c.size += int64(len(data)); c.size > allFiles {
		return mistake.Rejected("split the app", "%s: built of more than %d MiB", k.file, allFiles>>20)
	}
	switch u.kind {
	case useFile:
		return nil
	case usePlugin:
		return c.plugin(k, u, file, data)
	}
	docs, err := syntax.Documents(file, data)
	if err != nil || u.kind != useResource {
		return err
	}
	return c.remember(file, docs)
}

// remember keeps where objects are written, for an error about two of them.
func (c *checker) remember(file string, docs []syntax.Document) error {
	for _, d := range docs {
		kind := scalar(d.Root, "kind")
		_, metadata := syntax.Child(d.Root, "metadata")
		name, place := scalar(metadata, "name"), fmt.Sprintf("%s:%d", file, max(d.Root.Line, 1))
		switch {
		case d.Root.Kind != yaml.MappingNode:
			return mistake.Rejected("a manifest begins with apiVersion and kind", "%s: the document is no mapping of keys to values", place)
		case kind == "":
			return mistake.Rejected("a manifest says apiVersion, kind and metadata.name", "%s: kind is missing", place)
		case name == "" && !strings.HasSuffix(kind, "List"):
			return mistake.Rejected("a manifest says apiVersion, kind and metadata.name", "%s: %.80s: metadata.name is missing", place, kind)
		}
		id := kind + "/" + name
		c.places[id] = append(c.places[id], place)
	}
	return nil
}
