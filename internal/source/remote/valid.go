package remote

// ValidRef tells whether name is a full ref name that Git allows, without
// characters that cannot be shown.
func ValidRef(name string) bool { return refName(name) == nil }
