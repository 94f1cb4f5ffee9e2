package kube

import (
	"cmp"
	"context"
	"path"
	"regexp"
	"strings"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
)

// Discover finds every app directory of a snapshot: those whose settings speak of a
// cluster, and those that hold a kustomization, a chart or manifests and no Compose
// file, and are not part of another app. A broken app carries its own error and
// breaks no other. An error is returned only where the snapshot as a whole cannot
// be read.
func Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	f, err := find.Open(req)
	if err != nil {
		return render.Discovery{}, err
	}
	defer f.Repo.Close()
	d := discovery{Find: f, values: req.Values}
	if err := d.Walk(ctx, d.ForCluster); err != nil {
		return render.Discovery{}, err
	}
	if err := d.ReadSettings(ctx); err != nil {
		return render.Discovery{}, err
	}
	if err := d.leaveOut(ctx); err != nil {
		return render.Discovery{}, err
	}
	if err := d.Each(ctx, func(*find.Candidate) int64 { return 0 }, d.name); err != nil {
		return render.Discovery{}, err
	}
	return render.Discovery{Apps: d.Answer(d.roughName, find.Settings)}, nil
}

// discovery is one walk through a snapshot.
type discovery struct {
	*find.Find
	values map[string]string
}

// name is that of .syncd.yaml, else the directory's: lower case, letters, digits, -
// and _. It becomes a label, and so has to be one.
func (d *discovery) name(c *find.Candidate) error {
	written, where := c.Config.Name, c.Settings()
	if written == "" {
		if c.Dir == d.Start || c.Dir == "." {
			return mistake.Rejected("write `name:` into "+c.Settings(), "%s: the app at the root of the repository has no name", c.Dir)
		}
		written, where = path.Base(c.Dir), c.Dir
	}
	name := normal(written)
	switch {
	case name == "":
		return mistake.Rejected("a name has a letter or a digit", "%s: name: %q is no name of an app", where, written)
	case len(name) > maxName:
		return mistake.Rejected("", "%s: name: longer than %d bytes", where, maxName)
	}
	c.Name = name
	return nil
}

// normal is a name in the form that names of apps have, without - and _ at its ends.
func normal(name string) string {
	keep := func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}
	return strings.Trim(strings.Map(keep, strings.ToLower(name)), "-_")
}

// roughName is what a broken app is called: it must not be taken for another one,
// nor for a new one.
func (d *discovery) roughName(c *find.Candidate) string {
	name := normal(c.Config.Name)
	form := regexp.MustCompile(`(?m)^name:[ \t]+["']?([\w.-]+)["']?[ \t\r]*(#|$)`)
	if m := form.FindStringSubmatch(d.Repo.Head(c.Settings(), maxHead)); m != nil {
		name = normal(m[1])
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	return cmp.Or(name, normal(path.Base(c.Dir)), "unnamed")
}
