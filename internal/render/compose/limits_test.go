package compose

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// limits.objects bounds all that an app renders to: slots, routes, networks and
// volumes together.
func TestTheLimitOfObjectsHoldsForAllKinds(t *testing.T) {
	var volumes, ports strings.Builder
	for i := range 30 {
		fmt.Fprintf(&volumes, "  v%02d: {}\n", i)
		fmt.Fprintf(&ports, "'%d:80', ", 8000+i)
	}
	mounts := ""
	for i := range 30 {
		mounts += fmt.Sprintf("'v%02d:/v%02d', ", i, i)
	}
	for name, c := range map[string]struct {
		text  string
		total int
	}{
		"slots":   {service("web", "image: a\nscale: 40\nnetwork_mode: none"), 40},
		"volumes": {service("web", "image: a\nscale: 10\nvolumes: ["+mounts+"]") + "volumes:\n" + volumes.String(), 41},
		"routes":  {service("web", "image: a\nports: ["+ports.String()+"]\nx-syncd: {gate: tcp}"), 32},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(c.text).request(t)
			req.MaxObjects = c.total
			if got := len(mustRender(t, req).Objects); got != c.total {
				t.Fatalf("%d objects, want %d", got, c.total)
			}
			req.MaxObjects--
			mustFail(t, req, fault.Rejected, "app/compose.yaml", fmt.Sprintf("limit of %d objects", c.total-1), "limits.objects")
		})
	}
}
