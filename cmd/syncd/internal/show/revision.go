package show

import (
	"strings"

	"syncd.io/syncd/internal/source"
)

// short names a revision in a table.
func short(r source.Revision) string {
	if r.Commit == "" {
		return "-"
	}
	return word(r.Short())
}

// about names a revision in a sentence: 1a2b3c4d5e "Subject" by Ann (main), signed by
// ann@example.com.
func about(r source.Revision) string {
	if r.Commit == "" {
		if r.Ref != "" {
			return "directory " + word(r.Ref)
		}
		return "no revision"
	}
	parts := []string{word(r.Short())}
	if r.Subject != "" {
		parts = append(parts, `"`+word(r.Subject)+`"`)
	}
	if r.Author != "" {
		parts = append(parts, "by "+word(r.Author))
	}
	if r.Ref != "" && r.Ref != r.Commit {
		parts = append(parts, "("+word(r.Ref)+")")
	}
	if r.Signer.Name != "" {
		parts[len(parts)-1] += ","
		parts = append(parts, "signed by "+word(r.Signer.Name))
	}
	return strings.Join(parts, " ")
}
