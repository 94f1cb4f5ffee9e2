package kustomize

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"syncd.io/syncd/internal/render/mistake"
)

// failed is what kustomize said, as an error of ours: the file first, repository
// paths as people know them, and nothing of what stands in an object.
func (c *checker) failed(k kustomization, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	text, _, _ = strings.Cut(text, " node contents")
	text, _, _ = strings.Cut(text, " for node: ")
	text = regexp.MustCompile(`(^|['\s(])/([A-Za-z0-9._-])`).ReplaceAllString(text, "$1$2")
	if at := strings.Index(text, "cycle detected: "); at >= 0 {
		text = text[at:]
	}
	hint := ""
	if id := registered(text); id != "" {
		if places := c.places[id]; len(places) > 0 {
			text = "the object " + id + " is there twice: " + strings.Join(places, ", ")
			hint = "remove one of them, or use one only"
		}
	}
	return mistake.Rejected(hint, "%s: %s", k.file, mistake.Message(errors.New(text), "\x00", nil))
}

// registered is the kind and name of an object that kustomize met twice, else "".
func registered(text string) string {
	form := regexp.MustCompile(`already registered id: ([A-Za-z0-9]+)\.[^/\s]*/([^\s'"]+?)\.(?:\[noNs\]|[a-z0-9-]+)(?:['"\s:]|$)`)
	if m := form.FindStringSubmatch(text); m != nil {
		return m[1] + "/" + m[2]
	}
	return ""
}
