package drift

import (
	"encoding/json"
	"strconv"

	"syncd.io/syncd/internal/resource"
)

// Masked returns a spec as a tree in which every secret value is replaced by
// resource.Mask: those that sensitive points to (JSON pointers), those whose
// field is called like a secret, and URLs with credentials.
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
	if at.secret || secretWithin(v) || hasPrefix(at.pointer, d.sensitive) {
		return resource.Mask
	}
	return v
}

func (d *differ) maskList(at spot, list []any) []any {
	for i, inner := range list {
		list[i] = d.mask(at.item(i, inner), inner)
	}
	return list
}

// item is the place of a list's element: by what identifies it, else by number.
func (s spot) item(i int, v any) spot {
	id, ok := identify(v)
	if !ok {
		id = identity{value: strconv.Itoa(i)}
	}
	return s.element(i, id)
}
