package kustomize

// Bounds of what one kustomization may be made of.
const (
	maxFile  = 4 << 20  // bytes of one file
	maxFiles = 5000     // files that are named, in all kustomizations together
	allFiles = 64 << 20 // bytes of all of them
	maxBases = 500      // kustomizations that one is built on

	maxSketch   = 50_000 // nodes of one that is read to find apps
	bytesOfNode = 16     // bytes of text that count as one
)
