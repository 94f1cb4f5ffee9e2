package resource

import "strings"

// PointerToken writes a key as one token of a JSON pointer (RFC 6901): ~ is ~0 and
// / is ~1.
func PointerToken(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
