package drift

import (
	"encoding/json"
	"strconv"

	"syncd.io/syncd/internal/resource"
)

// Masked returns a spec as a tree in which every secret value is replaced by
// resource.Mask: those that sensitive points to (JSON pointers), those whose
// field is called like a secret, list items behind a flag that is, and URLs with
// credentials.
func Masked(spec json.RawMessage, sensitive []string) any {
	d := differ{sensitive: sensitive}
	return d.mask(spot{}, decode(spec))
}

func (d *differ) mask(at spot, v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for name, inner := range v {
			v[name] = d.mask(at.field(name), inner)
		}
		return v
	case []any:
		return d.maskList(at, v)
	}
	if d.hidden(at, v) {
		return resource.Mask
	}
	return v
}

// hidden tells whether the value at this place is never shown.
func (d *differ) hidden(at spot, v any) bool {
	return at.secret || !at.flag && secretWithin(v) || hasPrefix(at.pointer, d.sensitive)
}

func (d *differ) maskList(at spot, list []any) []any {
	out := make([]any, len(list))
	for i, inner := range list {
		out[i] = d.mask(at.item(i, list), inner)
	}
	return out
}

// item is the place of a list's element: by what identifies it, else by number.
// What stands behind the bare flag of a secret is one; the flag is not.
func (s spot) item(i int, list []any) spot {
	id, ok := identify(list[i])
	if !ok {
		id = identity{value: strconv.Itoa(i)}
	}
	out := s.element(i, id)
	out.flag = flag(list[i])
	out.secret = out.secret || i > 0 && flag(list[i-1])
	return out
}

func flag(v any) bool {
	word, ok := v.(string)
	return ok && resource.SecretFlag(word)
}
