package compose

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"syncd.io/syncd/internal/render/mistake"
)

// envFile is one file of NAME=value lines in the repository.
type envFile struct {
	name string
	// raw takes values as they are written, without quotes and references.
	raw bool
}

// readEnv adds the file's values to vars. References see lookup first, then
// what vars has so far; one that neither gives is an error.
func (a *app) readEnv(f envFile, vars map[string]string, lookup func(string) (string, bool)) error {
	data, err := a.repo.Read(f.name, maxEnvFile)
	if err != nil {
		return err
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return mistake.Rejected("save the file as UTF-8", "%s: not UTF-8 text", f.name)
	}
	if f.raw {
		return readRaw(f.name, string(data), vars)
	}
	if work, nested := templateWork(string(data)); work > maxTemplate || nested > maxNested {
		return mistake.Rejected("write $$ where a $ is meant", "%s: too many ${…}", f.name)
	}
	reader := envReader{vars: vars, lookup: lookup, variables: a.variables, left: maxEnvFile}
	text := strings.NewReader(a.variables.strictEnv(string(data)))
	if err := dotenv.ParseWithFormat(text, f.name, vars, reader.value, ""); err != nil {
		return envError(f.name, err)
	}
	if reader.left < 0 {
		return mistake.Rejected("", "%s: the values grow beyond %d bytes", f.name, maxEnvFile)
	}
	return nil
}

// envError says what is wrong with an env file.
func envError(file string, err error) error {
	text, hint := variableError(err)
	if hint != "" {
		hint += "; a value that holds a $ stands in '…'"
	}
	return mistake.Rejected(hint, "%s: %s", file, strings.TrimPrefix(text, "failed to read "+file+": "))
}

// envReader answers the references of one env file.
type envReader struct {
	vars      map[string]string
	lookup    func(string) (string, bool)
	variables *variables
	left      int // bytes that references may still give
}

func (r *envReader) value(name string) (string, bool) {
	value, ok := r.lookup(name)
	if ok {
		r.variables.note(name)
	} else if value, ok = r.vars[name]; !ok {
		return "", false
	}
	if r.left -= len(value); r.left < 0 {
		return "", true
	}
	return value, true
}

// readRaw reads format: raw, which is that of `docker run --env-file`.
func readRaw(file, text string, vars map[string]string) error {
	for i, line := range strings.Split(strings.TrimPrefix(text, "\uFEFF"), "\n") {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name == "" || strings.ContainsAny(name, " \t") {
			return mistake.Rejected("", "%s:%d: no NAME=value", file, i+1)
		}
		if ok {
			vars[name] = value
		}
	}
	return nil
}

// readDotEnv reads the .env file of a directory, where there is one. What base
// has, wins.
func (a *app) readDotEnv(files []string, base map[string]string) (map[string]string, error) {
	vars := map[string]string{}
	for _, file := range files {
		err := a.readEnv(envFile{name: file}, vars, func(name string) (string, bool) {
			value, ok := base[name]
			return value, ok
		})
		if err != nil {
			return nil, err
		}
	}
	maps.Copy(vars, base)
	return vars, nil
}

// composeSettings are the variables that Compose itself reads from .env.
func composeSettings(vars, host map[string]string) []string {
	var out []string
	for name := range vars {
		if _, given := host[name]; !given && strings.HasPrefix(name, "COMPOSE_") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
