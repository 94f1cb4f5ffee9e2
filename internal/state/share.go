package state

import (
	"bytes"
	"reflect"

	"syncd.io/syncd/internal/resource"
)

// Share lets the older sets of r have in common with its good set what is the same in
// both: most objects outlive many revisions unchanged. Neither is changed in what it
// says.
func (r *Record) Share() {
	if r.Good == nil {
		return
	}
	at := make(map[resource.Key]*resource.Object, len(r.Good.Objects))
	for i := range r.Good.Objects {
		at[r.Good.Objects[i].Key] = &r.Good.Objects[i]
	}
	for i := range r.Past {
		r.Past[i].Objects = shared(r.Past[i].Objects, at)
	}
}

// shared returns the objects with what those of the same slots have. Sets are never
// changed once they are made: another reader may have this one.
func shared(objects []resource.Object, at map[resource.Key]*resource.Object) []resource.Object {
	out := make([]resource.Object, len(objects))
	for i, o := range objects {
		other := at[o.Key]
		switch {
		case other == nil:
		case !bytes.Equal(o.Spec, other.Spec):
			o.Key = other.Key // the same names, and the same memory
		case reflect.DeepEqual(o, *other):
			o = *other
		}
		out[i] = o
	}
	return out
}
