package kube

// Bounds of what one app may be. Nothing that people write comes near them;
// what goes beyond is rejected before work is spent on it.
const (
	maxFile           = 4 << 20   // bytes of one manifest file
	maxFiles          = 5000      // manifest files of one app
	allFiles          = 64 << 20  // bytes of all of them
	maxWalk           = 20        // directory levels that are looked into
	maxName           = 63        // bytes of an app's name, which becomes a label
	maxObject         = 1_500_000 // bytes of one object: etcd takes 1.5 MiB with what the server adds
	maxList           = 20        // List within List
	maxKustomization  = 256 << 10 // bytes of a kustomization that is read to find apps
	allKustomizations = 32 << 20  // bytes of those of all apps
	costOfPath        = 128       // bytes that looking for what a kustomization names counts as
	maxHead           = 4 << 10   // bytes in which a broken app's name is looked for
	maxValue          = 64 << 10  // bytes of a setting with its ${…} filled in
)
