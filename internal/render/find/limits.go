package find

// Settings is what Git says about one app.
const Settings = ".syncd.yaml"

// Bounds of what finding the apps may take.
const (
	maxWalk     = 20       // directory levels below the start that may hold apps
	maxDir      = 512      // bytes of a directory's path that may hold apps
	maxSettings = 64 << 10 // bytes of one .syncd.yaml
	allSettings = 4 << 20  // bytes of those of all apps
	allErrors   = 1 << 20  // bytes of the errors of all apps
	maxListed   = 5        // apps that an error lists
)
