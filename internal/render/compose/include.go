package compose

import (
	"maps"
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// includes follows the include list.
func (s *scanner) includes(file string, doc document, at place) error {
	value, ok := doc.tree["include"]
	if !ok || value == nil {
		return nil
	}
	line := lineOf(doc, "include")
	list, ok := value.([]any)
	if !ok {
		return include{file: file, line: line}.rejected("write `include: [FILE]`", "not a list of files")
	}
	for _, entry := range list {
		in := include{file: file, line: line}
		if err := in.decode(entry); err != nil {
			return err
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
	return mistake.Rejected(hint, "%s:%d: include: "+format, append([]any{in.file, in.line}, args...)...)
}

// decode reads an entry strictly: compose-go takes more for a key than these, in
// other spellings too, and reads what they name before it judges them.
func (in *include) decode(entry any) error {
	m, ok := entry.(map[string]any)
	if text, short := entry.(string); short {
		m, ok = map[string]any{"path": text}, true
	}
	if !ok {
		return in.rejected("write `include: [FILE]`", "an entry is neither a file nor a mapping with path")
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		var err error
		switch key {
		case "path":
			in.paths, err = in.list(key, m[key])
		case "env_file":
			in.envFiles, err = in.list(key, m[key])
		case "project_directory":
			if in.directory, ok = m[key].(string); !ok {
				err = in.rejected("", "%s: not a text", key)
			}
		default:
			err = in.rejected("", "unknown key %q; an include has path, project_directory and env_file", key)
		}
		if err != nil {
			return err
		}
	}
	if len(in.paths) == 0 || in.paths[0] == "" {
		return in.rejected("write `include: [FILE]`", "path: no file")
	}
	return nil
}

// list reads a text or a list of texts.
func (in *include) list(key string, value any) ([]string, error) {
	out := texts(value)
	if all, ok := value.([]any); value != nil && (ok && len(all) != len(out) || !ok && out == nil) {
		return nil, in.rejected("", "%s: neither a text nor a list of texts", key)
	}
	return out, nil
}

func (s *scanner) include(in include, at place) error {
	if at.level > 0 && (in.directory != "" || len(in.envFiles) > 0) {
		return in.rejected("say them where the app's own Compose file includes", "project_directory and env_file are not supported in a file that is itself included")
	}
	names, err := s.includePaths(in, at)
	if err != nil {
		return err
	}
	dir := path.Dir(names[0])
	if in.directory != "" {
		if dir, err = repo.Join(at.dir, in.directory); err != nil {
			return in.rejected("", "project_directory %s: %w", in.directory, err)
		}
	}
	env, err := s.includeEnv(in, at, dir)
	if err != nil {
		return err
	}
	next := at.within(dir, env)
	key := strings.Join(append(names, next.mark), "\n")
	if s.visited[key] {
		return nil
	}
	s.visited[key] = true
	for _, name := range names {
		if err := s.compose(name, next); err != nil {
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
		name, err := repo.Join(at.dir, p)
		if err != nil {
			return nil, in.rejected("", "%s: %w", p, err)
		}
		for _, c := range at.chain {
			if c == name {
				return nil, in.rejected("", "%s includes itself: %s", name, strings.Join(append(at.chain, name), " -> "))
			}
		}
		s.leads.add(in.file, p, name)
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
		name, err := repo.Join(at.dir, f)
		if err != nil {
			return nil, in.rejected("", "env_file %s: %w", f, err)
		}
		files = append(files, name)
	}
	if name := path.Join(dir, ".env"); len(in.envFiles) == 0 && s.app.repo.Exists(name) {
		files = []string{name}
	}
	return s.app.readDotEnv(files, at.env)
}

// remote tells what compose-go's loaders take for a URL.
func remote(p string) bool {
	return strings.Contains(p, "://") || strings.HasPrefix(p, "git@") || strings.HasPrefix(p, "oci:") || strings.HasPrefix(p, "github.com/")
}
