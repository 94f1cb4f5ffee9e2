package kubetest

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// Unload takes images from the node that were loaded under these tags. One that is
// not there is success; what has another tag, too, stays under that one.
func (a *Access) Unload(ctx context.Context, tags ...string) error {
	table, err := exec.CommandContext(ctx, "ctr", "--address", a.socket(), "-n", "k8s.io", "images", "ls").Output()
	if err != nil {
		return fmt.Errorf("list the node's images: %w", err)
	}
	names := unloaded(string(table), tags)
	if len(names) == 0 {
		return nil
	}
	return a.ctr(ctx, nil, append([]string{"-n", "k8s.io", "images", "rm", "--sync"}, names...)...)
}

// unloaded returns, from ctr's table of images, what has to go with the tags: the
// node knows an image by its tags, with a registry before them, and by its content.
func unloaded(table string, tags []string) []string {
	var names []string
	goes, stays := map[string]bool{}, map[string]bool{}
	rows := images(table)
	for _, row := range rows {
		switch {
		case row.byContent():
		case slices.ContainsFunc(tags, row.is):
			names, goes[row.digest] = append(names, row.name), true
		default:
			stays[row.digest] = true
		}
	}
	for _, row := range rows {
		if row.byContent() && goes[row.digest] && !stays[row.digest] {
			names = append(names, row.name)
		}
	}
	return names
}

// row is a line of ctr's table of images.
type row struct{ name, digest string }

func (r row) byContent() bool { return strings.HasPrefix(r.name, "sha256:") }

func (r row) is(tag string) bool { return r.name == tag || strings.HasSuffix(r.name, "/"+tag) }

func images(table string) []row {
	var out []row
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 2 && strings.HasPrefix(fields[2], "sha256:") {
			out = append(out, row{fields[0], fields[2]})
		}
	}
	return out
}
