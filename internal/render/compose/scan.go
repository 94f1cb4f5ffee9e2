package compose

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	interp "github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/template"
	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render/mistake"
)

// scanner reads every file that compose-go is going to read, before it does:
// compose-go confines nothing and bounds little. It follows include and extends
// as compose-go does, and remembers what may be loaded. A file that compose-go
// loads anew, for another directory or other values, is scanned anew.
type scanner struct {
	app *app
	// leads are where includes and extends lead to.
	leads *leads
	// visited are the included files, with what they are read for.
	visited map[string]bool
	// bases are the files that were extended, with what they are read for.
	bases map[string][]document
	// docs are the documents of the app's own and of the included files.
	docs  []scanned
	files int
}

// scanned is a document with the values of its references.
type scanned struct {
	file string
	tree map[string]any
}

func newScanner(a *app) *scanner {
	return &scanner{app: a, leads: newLeads(), visited: map[string]bool{}, bases: map[string][]document{}}
}

// place is what the paths and references of a file mean.
type place struct {
	// dir is the directory that its relative paths start from.
	dir string
	env map[string]string
	// mark is the same for the same directory and values.
	mark string
	// level is 0 for the app's own files, 1 for those they include.
	level int
	// chain are the files that led here.
	chain []string
}

func newPlace(dir string, env map[string]string) place {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q", dir)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(sum, "%q=%q", name, env[name])
	}
	return place{dir: dir, env: env, mark: string(sum.Sum(nil))}
}

// within is the place of a file that the one at p includes.
func (p place) within(dir string, env map[string]string) place {
	next := newPlace(dir, env)
	next.level, next.chain = p.level+1, p.chain
	return next
}

// compose scans one Compose file and all that it leads to.
func (s *scanner) compose(file string, at place) error {
	docs, err := s.load(file, at)
	if err != nil {
		return err
	}
	at.chain = append(at.chain[:len(at.chain):len(at.chain)], file)
	s.leads.dirs[at.dir] = true
	for _, doc := range docs {
		if err := s.app.firstLevel(file, doc); err != nil {
			return err
		}
		s.declare(file, doc)
		s.docs = append(s.docs, scanned{file, doc.tree})
		if err := s.content(file, doc.tree, at); err != nil {
			return err
		}
		if err := s.includes(file, doc, at); err != nil {
			return err
		}
		if err := s.extends(file, doc, at); err != nil {
			return err
		}
	}
	return nil
}

// load reads and bounds one file and puts in the values of its references.
func (s *scanner) load(file string, at place) ([]document, error) {
	if s.files++; s.files > maxFiles {
		return nil, mistake.Rejected("", "%s: the app has more than %d Compose files", file, maxFiles)
	}
	data, err := s.app.repo.Read(file, maxFile)
	if err != nil {
		return nil, err
	}
	docs, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	for i := range docs {
		lookup := func(name string) (string, bool) { value, ok := at.env[name]; return value, ok }
		if err := s.references(file, docs[i].node, nil, lookup); err != nil {
			return nil, err
		}
		docs[i].tree, err = interp.Interpolate(docs[i].tree, interp.Options{
			LookupValue: lookup, Substitute: s.app.variables.substitute,
		})
		if err != nil {
			return nil, mistake.Rejected("", "%s: %s", file, s.app.text(err))
		}
	}
	return docs, nil
}

// references finds variables without a value, with their lines.
func (s *scanner) references(file string, n *yaml.Node, keys []string, lookup template.Mapping) error {
	switch n.Kind {
	case yaml.ScalarNode:
		if !strings.Contains(n.Value, "$") {
			return nil
		}
		if _, err := s.app.variables.substitute(n.Value, lookup); err != nil {
			text, hint := variableError(err)
			return mistake.Rejected(hint, "%s:%d: %s%s", file, n.Line, spoken(keys), s.app.mask(text))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			next := append(keys[:len(keys):len(keys)], n.Content[i].Value)
			if err := s.references(file, n.Content[i+1], next, lookup); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			if err := s.references(file, c, keys, lookup); err != nil {
				return err
			}
		}
	}
	return nil
}

// spoken is a path of keys in words: "service web: image: ".
func spoken(keys []string) string {
	singular := map[string]string{"services": "service", "networks": "network", "volumes": "volume", "configs": "config", "secrets": "secret"}
	switch {
	case len(keys) >= 2 && singular[keys[0]] != "":
		text := singular[keys[0]] + " " + keys[1] + ": "
		if len(keys) > 2 {
			text += strings.Join(keys[2:], ".") + ": "
		}
		return text
	case len(keys) > 0:
		return strings.Join(keys, ".") + ": "
	}
	return ""
}

// sections are the keys of the first level that hold entries with names.
func sections() []string { return []string{"services", "networks", "volumes", "configs", "secrets"} }

// declare remembers where services, networks and so on are written.
func (s *scanner) declare(file string, doc document) {
	for _, section := range sections() {
		_, node := child(doc.node, section)
		node = target(node)
		if node == nil || node.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			s.app.index.add(section, node.Content[i].Value, file, valueOf(node.Content[i], node.Content[i+1]))
		}
	}
}

// valueOf gives an empty value (`web:`) its key's line.
func valueOf(key, value *yaml.Node) *yaml.Node {
	if t := target(value); t.Kind == yaml.MappingNode {
		return t
	}
	return &yaml.Node{Kind: yaml.MappingNode, Line: key.Line}
}
