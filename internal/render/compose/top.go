package compose

import "syncd.io/syncd/internal/render/mistake"

// firstLevel judges the keys of a document's first level, merged ones among
// them; compose-go's schema rejects those that Compose does not know.
func (a *app) firstLevel(file string, doc document) error {
	for _, bad := range []struct{ key, hint string }{
		{"jobs", "write the job as a service that another needs with `condition: service_completed_successfully`, or with `x-syncd: {job: true}`"},
		{"models", "run the model as a service"},
		{xSyncdKey, "x-syncd belongs to a service"},
	} {
		if _, ok := doc.tree[bad.key]; ok {
			return mistake.Rejected(bad.hint, "%s:%d: %s is not supported here", file, lineOf(doc, bad.key), bad.key)
		}
	}
	if _, ok := doc.tree["version"]; ok {
		a.note("%s:%d: version: ignored, as Compose does", file, lineOf(doc, "version"))
	}
	return nil
}

// lineOf is where a key of the first level stands; that of the document where
// it is merged into it.
func lineOf(doc document, key string) int {
	if at, _ := child(doc.node, key); at != nil {
		return at.Line
	}
	return max(doc.node.Line, 1)
}
