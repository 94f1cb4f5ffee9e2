package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// inputVersion changes when the renderer gives other objects for the same
// input, so that nothing stale is taken for current.
const inputVersion = "1"

// inputs returns one hash over all that a rendering reads: the content of the
// paths (also that they are absent), the values of the variables, and where the
// app's own data lives.
func (c *catalog) inputs(dir, hostDir string, paths, variables []string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n", inputVersion, dir, hostDir)
	for _, p := range paths {
		c.hashPath(sum, p)
	}
	for _, name := range slices.Sorted(slices.Values(variables)) {
		value, given := c.values[name]
		fmt.Fprintf(sum, "%q=%q %t\n", name, value, given)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

func (c *catalog) hashPath(sum hash.Hash, path string) {
	if !strings.HasSuffix(path, "/") {
		fmt.Fprintf(sum, "%q %s\n", path, c.tracked[path])
		return
	}
	for _, p := range c.below(path) {
		fmt.Fprintf(sum, "%q %s\n", p, c.tracked[p])
	}
}
