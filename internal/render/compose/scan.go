package compose

import (
	"path"
	"strings"

	interp "github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/template"
	"go.yaml.in/yaml/v4"
)

// scanner reads every file that compose-go is going to read, before it does:
// compose-go confines nothing and bounds little. It follows include and extends
// as compose-go does, and remembers what may be loaded.
type scanner struct {
	app *app
	// vetted are the include and extends paths, in the words of compose-go.
	vetted map[string]bool
	// visited are the files, with what they are read for.
	visited map[string]bool
	// bases are the files that were extended.
	bases map[string][]document
	files int
}

// place is what the paths and references of a file mean.
type place struct {
	// dir is the directory that its relative paths start from.
	dir string
	env map[string]string
	// level is 0 for the app's own files, 1 for those they include.
	level int
	// chain are the files that led here.
	chain []string
}

// compose scans one Compose file and all that it leads to.
func (s *scanner) compose(file string, at place) error {
	docs, err := s.load(file, at)
	if err != nil {
		return err
	}
	at.chain = append(at.chain[:len(at.chain):len(at.chain)], file)
	for _, doc := range docs {
		s.declare(file, doc)
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
		return nil, rejected("", "%s: the app has more than %d Compose files", file, maxFiles)
	}
	data, err := s.app.repo.read(file, maxFile)
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
			return nil, rejected("", "%s: %s", file, s.app.text(err))
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
			return rejected(hint, "%s:%d: %s%s", file, n.Line, spoken(keys), s.app.mask(text))
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

// declare remembers where services, networks and so on are written.
func (s *scanner) declare(file string, doc document) {
	for _, section := range []string{"services", "networks", "volumes", "configs", "secrets"} {
		_, node := child(doc.node, section)
		node = target(node)
		if node == nil || node.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			s.app.index.add(section, node.Content[i].Value, file, valueOf(node.Content[i], node.Content[i+1]))
		}
	}
	s.app.index.top(file, doc.node)
}

// valueOf gives an empty value (`web:`) its key's line.
func valueOf(key, value *yaml.Node) *yaml.Node {
	if t := target(value); t.Kind == yaml.MappingNode {
		return t
	}
	return &yaml.Node{Kind: yaml.MappingNode, Line: key.Line}
}

// includes follows the include list.
func (s *scanner) includes(file string, doc document, at place) error {
	list, _ := doc.tree["include"].([]any)
	line, _ := locate(doc.node, []string{"include"})
	for _, entry := range list {
		in := include{file: file, line: line}
		switch v := entry.(type) {
		case string:
			in.paths = []string{v}
		case map[string]any:
			in.paths, in.envFiles = texts(v["path"]), texts(v["env_file"])
			in.directory, _ = v["project_directory"].(string)
		}
		if err := s.include(in, at); err != nil {
			return err
		}
	}
	return nil
}

// include is one entry of the include list.
type include struct {
	file      string
	line      int
	paths     []string
	envFiles  []string
	directory string
}

func (in include) rejected(hint, format string, args ...any) error {
	return rejected(hint, "%s:%d: include: "+format, append([]any{in.file, in.line}, args...)...)
}

func (s *scanner) include(in include, at place) error {
	if at.level > 0 && (in.directory != "" || len(in.envFiles) > 0) {
		return in.rejected("say them where the app's own Compose file includes", "project_directory and env_file are not supported in a file that is itself included")
	}
	names, err := s.includePaths(in, at)
	if err != nil || len(names) == 0 {
		return err
	}
	dir := path.Dir(names[0])
	if in.directory != "" {
		if dir, err = join(at.dir, in.directory); err != nil {
			return in.rejected("", "project_directory %s: %w", in.directory, err)
		}
	}
	env, err := s.includeEnv(in, at, dir)
	if err != nil {
		return err
	}
	key := strings.Join(append(append(names, dir), in.envFiles...), "\n")
	if s.visited[key] {
		return nil
	}
	s.visited[key] = true
	for _, name := range names {
		if err := s.compose(name, place{dir: dir, env: env, level: at.level + 1, chain: at.chain}); err != nil {
			return err
		}
	}
	return nil
}

// includePaths resolves the files of one entry: inside the repository, and none
// of those that led here.
func (s *scanner) includePaths(in include, at place) ([]string, error) {
	var names []string
	for _, p := range in.paths {
		if remote(p) {
			return nil, in.rejected("copy the file into the repository", "%s: remote files are not supported", p)
		}
		name, err := join(at.dir, p)
		if err != nil {
			return nil, in.rejected("", "%s: %w", p, err)
		}
		for _, c := range at.chain {
			if c == name {
				return nil, in.rejected("", "%s includes itself: %s", name, strings.Join(append(at.chain, name), " -> "))
			}
		}
		s.vetted[p] = true
		names = append(names, name)
	}
	return names, nil
}

// includeEnv is what references in an included file see: the values of the file
// that includes it, then its env_file, by default the .env beside it.
func (s *scanner) includeEnv(in include, at place, dir string) (map[string]string, error) {
	var files []string
	for _, f := range in.envFiles {
		if f == "/dev/null" {
			continue
		}
		name, err := join(at.dir, f)
		if err != nil {
			return nil, in.rejected("", "env_file %s: %w", f, err)
		}
		files = append(files, name)
	}
	if name := path.Join(dir, ".env"); len(in.envFiles) == 0 && s.app.repo.exists(name) {
		files = []string{name}
	}
	return s.app.readDotEnv(files, at.env)
}

// remote tells what compose-go's loaders take for a URL.
func remote(p string) bool {
	return strings.Contains(p, "://") || strings.HasPrefix(p, "git@") || strings.HasPrefix(p, "oci:") || strings.HasPrefix(p, "github.com/")
}
