package kube

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// What annotations a manifest may say something to syncd with.
const (
	prefix          = "syncd.io/"
	annotationWave  = prefix + "wave"
	annotationPrune = prefix + "prune"
	annotationHash  = prefix + "hash" // syncd's own, on live objects
)

// maxWave bounds waves, so that a slip of the hand is one.
const maxWave = 1_000_000

// wave is when the object is put, by its annotation; 0 where it says nothing.
func (m manifest) wave() (int, error) {
	written := m.annotation(annotationWave)
	if written == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(written)
	if err != nil || n > maxWave || n < -maxWave {
		return 0, m.reject([]string{"metadata", "annotations", annotationWave}, "", "%q is no whole number between -%d and %d", m.shown(written), maxWave, maxWave)
	}
	return n, nil
}

// checkAnnotations judges what is said to syncd: a slip of the hand there would be
// passed over in silence otherwise.
func (m manifest) checkAnnotations() error {
	annotations := mapping(mapping(m.tree["metadata"])["annotations"])
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		at := []string{"metadata", "annotations", name}
		switch {
		case name == annotationPrune && text(annotations[name]) != "keep":
			return m.reject(at, "", "%q is not keep", m.shown(text(annotations[name])))
		case !slices.Contains([]string{annotationWave, annotationPrune, annotationScope}, name):
			return m.reject(at, "", "unknown: want one of %s, %s, %s", annotationWave, annotationPrune, annotationScope)
		}
	}
	return nil
}
