// Package resource holds the words that every other room speaks: the slot
// (Key), the desired thing (Object), what was found (Pair, Instance) and how it
// feels (Health). It is a leaf: it imports the standard library only.
package resource

import (
	"cmp"
	"fmt"
	"strings"
)

// Key names one slot: the place of one instance. On Docker the second replica
// of the service web is container/web/2 and a network is network/backend; on
// Kubernetes the slot is kind/namespace/name. Keys are comparable and totally
// ordered.
type Key struct {
	Kind      string
	Namespace string
	Name      string
}

// String returns kind/namespace/name, without the namespace where it is empty.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Kind + "/" + k.Name
	}
	return k.Kind + "/" + k.Namespace + "/" + k.Name
}

// MarshalText returns the printed form, so that keys can be JSON map keys.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the printed form; the zero key is printed as "/".
func (k *Key) UnmarshalText(text []byte) error {
	parts := strings.SplitN(string(text), "/", 3)
	switch {
	case len(parts) == 2:
		*k = Key{Kind: parts[0], Name: parts[1]}
	case len(parts) == 3 && parts[1] != "":
		*k = Key{Kind: parts[0], Namespace: parts[1], Name: parts[2]}
	default:
		return fmt.Errorf("read slot %q: want kind/name or kind/namespace/name", text)
	}
	return nil
}

// Compare orders keys by kind, namespace and name; names that are numbers come
// first and compare as numbers, so that replica 10 comes after replica 2.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		strings.Compare(k.Kind, o.Kind),
		strings.Compare(k.Namespace, o.Namespace),
		compareNames(k.Name, o.Name),
	)
}

func compareNames(a, b string) int {
	switch numA, numB := digits(a), digits(b); {
	case numA && numB:
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	case numA: // without this rule 10 < 1a < 2 < 10
		return -1
	case numB:
		return 1
	default:
		return strings.Compare(a, b)
	}
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
