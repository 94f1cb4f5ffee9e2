package compose

import (
	"path"
	"path/filepath"

	"go.yaml.in/yaml/v4"
)

// extends follows the services of one file that extend those of others.
func (s *scanner) extends(file string, doc document, at place) error {
	services := mapAt(doc.tree, "services")
	for _, name := range sortedKeys(services) {
		e := extension{scanner: s, at: at, service: name, seen: map[string]bool{}}
		if err := e.follow(file, services, name, at.dir); err != nil {
			return err
		}
	}
	return nil
}

// extension follows one service's chain of extends.
type extension struct {
	scanner *scanner
	at      place
	service string
	seen    map[string]bool
}

// follow looks at what the service called name of file extends. Paths of the
// app's files start from their project directory, those of extended files from
// their own.
func (e *extension) follow(file string, services map[string]any, name, dir string) error {
	ref, other := extended(services[name])
	if ref == "" || (other == "" && ref == name) {
		return nil
	}
	where := e.scanner.app.index.at("services", e.service, "extends")
	if other == "" {
		if e.seen[file+"\n"+ref] {
			return rejected("", "%s: service %s: extends: %s extends itself", where, e.service, ref)
		}
		e.seen[file+"\n"+ref] = true
		return e.follow(file, services, ref, dir)
	}
	if remote(other) {
		return rejected("copy the file into the repository", "%s: service %s: extends.file: %s: remote files are not supported", where, e.service, other)
	}
	next, err := join(dir, other)
	if err != nil {
		return rejected("", "%s: service %s: extends.file: %s: %w", where, e.service, other, err)
	}
	e.vet(other, next)
	return e.base(next, ref, where)
}

// vet allows both forms in which compose-go asks for the file: as written, and
// relative to the project directory.
func (e *extension) vet(written, name string) {
	e.scanner.vetted[written] = true
	if rel, err := filepath.Rel(filepath.FromSlash(e.at.dir), filepath.FromSlash(name)); err == nil {
		e.scanner.vetted[rel] = true
	}
}

// base reads the extended file and goes on from there.
func (e *extension) base(file, ref, where string) error {
	if e.seen[file+"\n"+ref] {
		return rejected("", "%s: service %s: extends: %s of %s extends itself", where, e.service, ref, file)
	}
	e.seen[file+"\n"+ref] = true
	docs, err := e.scanner.extendedFile(file, e.at)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		services := mapAt(doc.tree, "services")
		if services[ref] == nil {
			continue
		}
		e.declare(file, ref, doc.node)
		if err := e.follow(file, services, ref, path.Dir(file)); err != nil {
			return err
		}
	}
	return nil
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
	key := "extends\n" + file + "\n" + at.dir
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
