package compose

import (
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nearest"
)

// loadError says in our words what compose-go says, with the place.
func (a *app) loadError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("load %s: %w", a.index.main, context.Cause(ctx))
	}
	text := a.text(ordered(err))
	if rest, ok := strings.CutPrefix(text, "validating "); ok {
		if file, said, ok := strings.Cut(rest, ": "); ok {
			return a.invalid(file, strings.TrimSpace(said))
		}
	}
	text = strings.TrimSpace(text)
	if !strings.Contains(text, path.Base(a.index.main)) {
		text = a.guess(text, a.index.main) + ": " + text
	}
	return fault.As(fault.Rejected, plainText(text))
}

// ordered says what compose-go says in several lines, a mistake in each, in their
// order.
func ordered(err error) error {
	list, ok := strings.CutPrefix(err.Error(), "decoding failed due to the following error(s):")
	if !ok {
		return err
	}
	lines := slices.DeleteFunc(strings.Split(list, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	slices.Sort(lines)
	return plainText(strings.Join(lines, "; "))
}

// invalid is the error for what the Compose schema does not allow in a file.
func (a *app) invalid(file, text string) error {
	place, key := unknownKey(text)
	if key == "" {
		return fault.As(fault.Rejected, plainText(a.guess(text, file)+": "+text))
	}
	where := strings.Trim(place+"."+key, ".")
	err := fault.As(fault.Rejected, plainText(fmt.Sprintf("%s: unknown key %q", a.guess(where+" ", file), where)))
	if near := nearest.Word(key, knownKeys(place)); near != "" {
		return fault.Hint(err, fmt.Sprintf("did you mean %q?", near))
	}
	return fault.Hint(err, "docs/compose.md lists every field; your own begin with x-")
}

// unknownKey takes apart how the schema's judge says that a key is not allowed.
func unknownKey(text string) (place, key string) {
	if m := regexp.MustCompile(`^(\S*?)\.?([^.\s]+) false schema$`).FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	if m := regexp.MustCompile(`^(\S*) ?additional propert\w+ '([^']+)'.* not allowed$`).FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

// knownKeys are those of a whole file, and of a service; what stands deeper has
// none.
func knownKeys(place string) []string {
	switch {
	case place == "":
		return yamlKeys(reflect.TypeFor[types.Project]())
	case strings.HasPrefix(place, "services.") && strings.Count(place, ".") == 1:
		return yamlKeys(reflect.TypeFor[types.ServiceConfig]())
	default:
		return nil
	}
}

func yamlKeys(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			out = append(out, yamlKeys(f.Type)...)
		case name != "" && name != "-":
			out = append(out, name)
		}
	}
	return out
}

// guess finds the place of a message that names a service in one of compose-go's
// ways: services.web.image, services[web].image, service "web"; else it is file.
func (a *app) guess(text, file string) string {
	for _, key := range slices.Sorted(maps.Keys(a.index.found)) {
		section, name, _ := strings.Cut(key, "/")
		single := strings.TrimSuffix(section, "s")
		for _, form := range []string{section + "." + name + ".", section + "." + name + ":", section + "[" + name + "].", single + ` "` + name + `"`} {
			if _, after, ok := strings.Cut(text, form); ok && name != "" {
				field, _, _ := strings.Cut(after, " ")
				return a.index.at(section, name, strings.TrimRight(field, ":'"))
			}
		}
	}
	return file
}
