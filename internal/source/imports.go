package source

import (
	"syncd.io/syncd/internal/source/bundle"
	"syncd.io/syncd/internal/source/tree"
)

// ImportRequest asks the child to take bundles into a repository of their own, as
// far as they are complete.
type ImportRequest struct {
	// Store is the directory of that bare repository; it is made where it is not
	// there. Nobody else writes there meanwhile.
	Store string `json:"store"`
	// Files are the bundles, the newest first; Taken are those among them that were
	// taken in before, with what they brought: they are not read again.
	Files []string                `json:"files"`
	Taken map[string][]bundle.Ref `json:"taken,omitempty"`
	// Keep is set where somebody may be reading there meanwhile: nothing is removed.
	Keep bool `json:"keep,omitempty"`
	// Limits bound what the bundles may take: Disk.
	Limits tree.Limits `json:"limits"`
}

// ImportAnswer says what became of each bundle, in the order of the request, and
// what all that count bring together.
type ImportAnswer struct {
	Bundles []BundleState `json:"bundles"`
	Refs    []BundleRef   `json:"refs,omitempty"`
	// Damaged says what is wrong with the repository; it has to be made anew then,
	// and nothing else is told.
	Damaged string `json:"damaged,omitempty"`
}

// BundleRef is a ref, or HEAD.
type BundleRef struct {
	bundle.Ref
	// Peeled is the commit that a tag names; empty where Hash is that commit.
	Peeled string `json:"peeled,omitempty"`
}

// The states of a bundle.
const (
	// BundleServes: at least one ref is as this bundle says.
	BundleServes = "serves"
	// BundleOlder: others bring something newer for each of its refs.
	BundleOlder = "older"
	// BundleWaits: it builds on commits that are not there.
	BundleWaits = "waits"
	// BundleIncomplete: the file ends too early; it may still be written.
	BundleIncomplete = "incomplete"
	// BundleBroken: it is none, or damaged, or lacks what it should hold.
	BundleBroken = "broken"
)

// BundleState is what became of one bundle.
type BundleState struct {
	// File is its path, State one of the constants.
	File  string `json:"file"`
	State string `json:"state"`
	// Reason says more about one that does not count; harmless text.
	Reason string `json:"reason,omitempty"`
	// Fresh tells that the file was written so lately that it may not be whole yet:
	// the next look judges it again.
	Fresh bool `json:"fresh,omitempty"`
	// Brings are the refs of a bundle that was read and counts.
	Brings []bundle.Ref `json:"brings,omitempty"`
}

// Counts tells whether all that the bundle brings is there.
func (b BundleState) Counts() bool { return b.State == BundleServes || b.State == BundleOlder }
