package compose

// Bounds of what one app may be. Nothing that people write comes near them;
// what goes beyond is rejected before work is spent on it.
const (
	maxFile      = 2 << 20  // bytes of one Compose or env file
	maxFiles     = 200      // Compose files of one app, included ones among them
	maxDocuments = 20       // YAML documents of one file
	maxTemplate  = 1 << 24  // references times bytes of the lines of one file
	maxNested    = 20       // ${…} within ${…}
	maxEnvFile   = 1 << 20  // bytes that the references of one env file give
	maxPaths     = 200_000  // ways through the needs of the services
	maxPorts     = 1000     // ports of one service, ranges spread out
	maxName      = 200      // bytes of a project's name
	maxCompose   = 4 << 20  // bytes of the Compose files of one app that Discover reads
	allCompose   = 16 << 20 // bytes of those of all apps
	maxHead      = 4 << 10  // bytes in which a broken app's name is looked for
	maxReplicas  = 1 << 20  // beyond it, sums could overflow
)
