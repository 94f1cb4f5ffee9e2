// Package document is what the renderers of charts and kustomizations hand on: one
// YAML document, and where it came from.
package document

// Document is one YAML document of an app, before it is an object.
type Document struct {
	// Source says where it came from, for messages: templates/web.yaml, or a file's
	// path.
	Source string
	// YAML is the one document.
	YAML []byte
	// Hook is when it is applied: "" with everything else, "pre" before it, "post"
	// after it.
	Hook string
	// Weight orders the documents of one Hook: lower ones come first.
	Weight int
}
