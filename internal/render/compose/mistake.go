package compose

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/compose-spec/compose-go/v2/validation"

	"syncd.io/syncd/internal/render/mistake"
)

// mistake finds what compose-go refuses. compose-go goes through a file in a new
// order each time and stops at the first mistake; here it is always the first in
// the order of files, names and fields that is refused by itself. It is nil where
// nothing is.
func (a *app) mistake(ctx context.Context, docs []scanned) error {
	for _, doc := range docs {
		for _, section := range sections() {
			entries := mapAt(doc.tree, section)
			for _, name := range slices.Sorted(maps.Keys(entries)) {
				if err := ctx.Err(); err != nil {
					return a.loadError(ctx, err)
				}
				if err := a.mistakeIn(entry{doc.file, section, name}, entries[name]); err != nil {
					return err
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(doc.tree)) {
			if slices.Contains(sections(), key) {
				continue
			}
			if err := schema.Validate(map[string]any{key: doc.tree[key]}); err != nil {
				return a.invalid(doc.file, a.text(err))
			}
		}
	}
	return nil
}

// entry is a service, network, volume, config or secret of one file.
type entry struct{ file, section, name string }

func (e entry) with(value any) map[string]any {
	return map[string]any{e.section: map[string]any{e.name: value}}
}

func (a *app) mistakeIn(e entry, value any) error {
	whole := a.refusal(e, "", e.with(value))
	fields, ok := value.(map[string]any)
	if whole == nil || !ok {
		return whole
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		one := map[string]any{field: fields[field]}
		if err := a.refusal(e, field, e.with(one)); err != nil {
			return a.narrow(e, field, one, err)
		}
	}
	return whole
}

// narrow goes on to the first of a field's own fields that is refused, and
// returns its error, else the one that is given.
func (a *app) narrow(e entry, path string, value map[string]any, err error) error {
	keys := strings.Split(path, ".")
	last := keys[len(keys)-1]
	fields, _ := value[last].(map[string]any)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		one := map[string]any{field: fields[field]}
		full := map[string]any{last: one}
		for _, key := range slices.Backward(keys[:len(keys)-1]) {
			full = map[string]any{key: full}
		}
		next := path + "." + field
		if said := schema.Validate(e.with(full)); said != nil && about(said.Error(), e, path, field) {
			return a.narrow(e, next, one, a.refusal(e, next, e.with(full)))
		}
	}
	return err
}

// about tells whether the schema's judge speaks of the field, and not of one that
// is missing beside it.
func about(text string, e entry, path, field string) bool {
	place := e.section + "." + e.name + "." + path
	return strings.HasPrefix(text, place+"."+field) || strings.HasPrefix(text, place+" additional propert")
}

// refusal is what compose-go has against a model with only one entry in it.
func (a *app) refusal(e entry, field string, model map[string]any) error {
	if err := schema.Validate(model); err != nil {
		return a.invalid(e.file, a.text(err))
	}
	canonical, err := transform.Canonical(copied(model).(map[string]any), false)
	if err == nil {
		err = validation.Validate(canonical)
	}
	if err == nil {
		return nil
	}
	if field == "" {
		return mistake.Rejected("", "%s: %s", a.guess(e.section+"."+e.name+".", e.file), a.text(err))
	}
	return a.rejectIn(strings.TrimSuffix(e.section, "s"), e.name, field, "", "%s", a.text(err))
}

// copied is a tree that may be changed.
func copied(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[key] = copied(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	}
	return value
}
