package kube

import (
	"fmt"
	"strconv"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/syntax"
	"syncd.io/syncd/internal/resource"
)

// maxShown is how much of a text from a manifest an error shows, in bytes.
const maxShown = 80

// at is where a field is written, as FILE:LINE; the nearest that is there, where
// it is not, and the file alone where lines are not known.
func (m manifest) at(path ...string) string {
	if !m.lines {
		return m.source
	}
	return m.source + ":" + strconv.Itoa(syntax.Line(m.node, path...))
}

// title names the object as far as it has a name: Deployment web.
func (m manifest) title() string {
	kind, _ := m.tree["kind"].(string)
	metadata, _ := m.tree["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	switch {
	case kind == "" && name == "":
		return "object"
	case name == "":
		return m.shown(kind)
	case kind == "":
		return "object " + m.shown(name)
	}
	return m.shown(kind) + " " + m.shown(name)
}

// shown is a text from a manifest, fit for a message: masked before it is cut off, for
// of half a secret nobody would know.
func (m manifest) shown(text string) string {
	return resource.Harmless(mistake.Masked(text, m.secrets), maxShown)
}

// reject is a Rejected error about a field, written with dots for messages and
// found by its path.
func (m manifest) reject(path []string, hint, format string, args ...any) error {
	return mistake.Classified(fault.Rejected, hint, fmt.Errorf("%s: %s: %s: %w", m.at(path...), m.title(), m.dotted(path), fmt.Errorf(format, args...)))
}

// about is the beginning of a note about a field.
func (m manifest) about(path ...string) string {
	return fmt.Sprintf("%s: %s: %s", m.at(path...), m.title(), m.dotted(path))
}

// dotted writes a path for people; a key with dots stands in brackets.
func (m manifest) dotted(path []string) string {
	out := ""
	for _, key := range path {
		switch _, err := strconv.Atoi(key); {
		case err == nil:
			out += "[" + key + "]"
		case out == "":
			out = key
		case plainKey(key):
			out += "." + key
		default:
			out += "[" + m.shown(key) + "]"
		}
	}
	return out
}

func plainKey(key string) bool {
	for _, r := range key {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return key != ""
}
