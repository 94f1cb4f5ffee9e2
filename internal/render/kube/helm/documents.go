package helm

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/releaseutil"

	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/resource"
)

// documents are those of crds/, then those of the templates.
func (r rendering) documents(secrets []string) (docs []document.Document, notes []string, err error) {
	crds := r.chart.CRDObjects()
	slices.SortFunc(crds, func(a, b chart.CRD) int { return strings.Compare(a.Filename, b.Filename) })
	for _, crd := range crds {
		source := inside(r.chart.Name(), crd.Filename)
		for _, text := range split(string(crd.File.Data)) {
			if hollow(text) {
				continue
			}
			docs = append(docs, document.Document{Source: source, YAML: []byte(text)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		of, left, err := parsed(inside(r.chart.Name(), name), r.files[name], secrets)
		if err != nil {
			return nil, nil, err
		}
		docs, notes = append(docs, of...), append(notes, left...)
	}
	return docs, notes, nil
}

// parsed are the documents of one rendered template.
func parsed(source, text string, secrets []string) (docs []document.Document, notes []string, err error) {
	for _, part := range split(text) {
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(part), &root); err != nil {
			return nil, nil, notYAML(source, part, err, secrets)
		}
		if len(root.Content) == 0 || root.Content[0].Tag == "!!null" {
			continue
		}
		doc := document.Document{Source: source, YAML: []byte(part)}
		head := headOf(root.Content[0])
		if kept(head.annotations) {
			if doc.YAML, err = keep(&root); err != nil {
				return nil, nil, rejected("", "%s: %w", source, err)
			}
		}
		use, note := hook(&doc, head)
		if note != "" {
			notes = append(notes, source+": "+note)
		}
		if use {
			docs = append(docs, doc)
		}
	}
	return docs, notes, nil
}

// split takes a text of several documents apart, as Helm does, which leaves the
// second of two separators in a row to the document behind it.
func split(text string) []string {
	parts := releaseutil.SplitManifests(text)
	names := slices.Collect(maps.Keys(parts))
	sort.Sort(releaseutil.BySplitManifestsOrder(names))
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, strings.TrimPrefix(parts[name], "---\n"))
	}
	return out
}

// hollow tells whether a document holds nothing but remarks.
func hollow(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// notYAML shows the line that cannot be read: it is one of the rendered text, which
// nobody has seen. Secrets are masked before it is cut off, and so are the parts of one
// that the parser took for a name.
func notYAML(source, text string, err error, secrets []string) error {
	why := regexp.MustCompile(`'[^']+'`).ReplaceAllStringFunc(strings.TrimPrefix(err.Error(), "yaml: "), func(name string) string {
		if slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(s, strings.Trim(name, "'")) }) {
			return resource.Mask
		}
		return name
	})
	at := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(why)
	if at == nil {
		return rejected("", "%s: what it renders to is not YAML: %s", source, why)
	}
	number, _ := strconv.Atoi(at[1]) // digits
	lines := strings.Split(text, "\n")
	shown := ""
	if number >= 1 && number <= len(lines) {
		shown = fmt.Sprintf(" (%.200q)", mistake.Masked(strings.TrimSpace(lines[number-1]), secrets))
	}
	return rejected("", "%s: what it renders to is not YAML: line %d%s: %s", source, number, shown, strings.TrimPrefix(why, at[0]))
}

// encode writes a document's nodes.
func encode(root *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out.Bytes(), e.Close()
}
