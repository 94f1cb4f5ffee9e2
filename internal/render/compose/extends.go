package compose

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// extends follows the services of one document that extend those of others.
func (s *scanner) extends(file string, doc document, at place) error {
	services := mapAt(doc.tree, "services")
	own := origin{file: file, dir: at.dir, services: []map[string]any{services}}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		e := extension{scanner: s, at: at, file: file, service: name, open: map[string]bool{}}
		if err := e.follow(own, name); err != nil {
			return err
		}
	}
	return nil
}

// extension follows one service's chain of extends.
type extension struct {
	scanner *scanner
	at      place
	file    string
	service string
	// open are the services that were looked at: true while they are.
	open map[string]bool
}

// origin is where a service of the chain stands: in a document of the app's own,
// whose paths start from the project directory, or in any of an extended file,
// whose paths start from its own.
type origin struct {
	file, dir string
	base      bool
	services  []map[string]any
}

// follow looks at what the service of that name extends, in each document.
func (e *extension) follow(from origin, name string) error {
	key := fmt.Sprintf("%q %q %t %q", from.file, from.dir, from.base, name)
	if open, seen := e.open[key]; seen {
		if open {
			return e.rejected("", "%s of %s extends itself", name, from.file)
		}
		return nil
	}
	e.open[key] = true
	for _, services := range from.services {
		if err := e.step(from, name, services[name]); err != nil {
			return err
		}
	}
	e.open[key] = false
	return nil
}

// step goes from one service to the one that it extends.
func (e *extension) step(from origin, name string, service any) error {
	ref, other := extended(service)
	switch {
	case ref == "" || (other == "" && ref == name): // compose-go says what is wrong
		return nil
	case other == "":
		return e.follow(from, ref)
	case remote(other):
		return e.rejected("copy the file into the repository", "file: %s: remote files are not supported", other)
	}
	next, err := repo.Join(from.dir, other)
	if err != nil {
		return e.rejected("", "file: %s: %w", other, err)
	}
	e.lead(from, other, next)
	return e.base(next, ref)
}

// lead remembers the file in each form in which compose-go may ask for it: as it
// is written, put on the directory of the file that says it, and absolute.
func (e *extension) lead(from origin, words, to string) {
	leads := e.scanner.leads
	leads.add(e.file, words, to)
	leads.add(e.file, e.scanner.app.repo.Abs(to), to)
	if dir, err := filepath.Rel(filepath.FromSlash(e.at.dir), filepath.FromSlash(from.dir)); err == nil {
		leads.add(e.file, filepath.Join(dir, words), to)
	}
}

// base reads the extended file and goes on from there.
func (e *extension) base(file, ref string) error {
	docs, err := e.scanner.extendedFile(file, e.at)
	if err != nil {
		return err
	}
	from, found := origin{file: file, dir: path.Dir(file), base: true}, false
	for _, doc := range docs {
		services := mapAt(doc.tree, "services")
		from.services = append(from.services, services)
		if _, ok := services[ref]; ok {
			found = true
			e.declare(file, ref, doc.node)
		}
	}
	if !found {
		return e.rejected("", "there is no service %s in %s", ref, file)
	}
	return e.follow(from, ref)
}

func (e *extension) rejected(hint, format string, args ...any) error {
	where := e.scanner.app.index.at("services", e.service, "extends")
	return mistake.Rejected(hint, "%s: service %s: extends: "+format, append([]any{where, e.service}, args...)...)
}

// declare lets error messages find fields that the service takes from its base.
func (e *extension) declare(file, ref string, node *yaml.Node) {
	_, services := child(node, "services")
	if key, value := child(services, ref); key != nil {
		e.scanner.app.index.base("services", e.service, file, valueOf(key, value))
	}
}

// extendedFile reads a file that is extended, once.
func (s *scanner) extendedFile(file string, at place) ([]document, error) {
	key := file + "\n" + at.mark
	if docs, ok := s.bases[key]; ok {
		return docs, nil
	}
	docs, err := s.load(file, at)
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		here := at
		here.dir = path.Dir(file)
		if err := s.content(file, doc.tree, here); err != nil {
			return nil, err
		}
	}
	s.bases[key] = docs
	return docs, nil
}

// extended returns the service and file of a service's extends.
func extended(service any) (ref, file string) {
	m, _ := service.(map[string]any)
	switch v := m["extends"].(type) {
	case string:
		return v, ""
	case map[string]any:
		ref, _ = v["service"].(string)
		file, _ = v["file"].(string)
	}
	return ref, file
}
