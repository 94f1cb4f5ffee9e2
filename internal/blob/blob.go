// Package blob is the word for a named value that somebody keeps for the agent
// outside of its own disk: a leaf, so that who keeps it and who needs it agree
// without knowing each other.
package blob

import "time"

// Blob is one named value. Every write of it gives it another version, and names
// the one that it replaces: of two writers who know the same version only one
// succeeds.
type Blob struct {
	// Name is unique: lower-case letters, digits, - and dots, at most 253.
	Name string
	// Part says what it is a part of; Of names what it is about, for people.
	Part, Of string
	Data     []byte
	// Fixed is true for a value that is never changed, only removed.
	Fixed bool
	// Version is the one that was read; empty for a blob that is not there yet.
	Version string
	// Made is when it was first written, as the keeper's clock has it; it is not
	// written.
	Made time.Time
}
