package compose

import (
	"context"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
)

// composeFiles are the names that Compose looks for, the first one wins;
// overrideFiles those of the file that is put on top.
func composeFiles() []string { return render.ComposeFiles() }

func overrideFiles() []string {
	return []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
}

// Discover finds every app directory of a snapshot: those that hold a Compose
// file or a .syncd.yaml and are not part of another app. What is made for a
// cluster only is passed over. A broken app carries its own error and breaks no
// other: what reading may take in all goes to the small apps first. An error is
// returned only where the snapshot as a whole cannot be read.
func Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	f, err := find.Open(req)
	if err != nil {
		return render.Discovery{}, err
	}
	defer f.Repo.Close()
	d := discovery{Find: f, files: map[*find.Candidate][]string{}}
	if err := d.Walk(ctx, d.isApp); err != nil {
		return render.Discovery{}, err
	}
	if err := d.read(ctx); err != nil {
		return render.Discovery{}, err
	}
	return render.Discovery{Apps: d.Answer(d.roughName, find.Settings+" or in its Compose file")}, nil
}

// discovery is one walk through a snapshot, with the Compose files of each app.
type discovery struct {
	*find.Find
	files map[*find.Candidate][]string
}

func (d *discovery) isApp(dir string, names find.Names) bool {
	if names.First(composeFiles()...) != "" {
		return true
	}
	return names[find.Settings] && !d.OnlyForCluster(dir, names)
}

// read reads what the directories say about themselves: first their settings,
// which name their Compose files, then these.
func (d *discovery) read(ctx context.Context) error {
	if err := d.ReadSettings(ctx); err != nil {
		return err
	}
	files := find.NewShare(allCompose, "Compose files")
	return d.Each(ctx, func(c *find.Candidate) int64 { c.Fail(d.list(c)); return c.Size },
		func(c *find.Candidate) error { return d.readName(c, files) })
}

// list finds an app's Compose files and how large they are together.
func (d *discovery) list(c *find.Candidate) error {
	files, err := newApp(render.Request{Shared: &render.Shared{}, App: c.App}, d.Repo).files()
	if err != nil {
		return err
	}
	d.files[c], c.Size = files, 0
	for _, f := range files {
		c.Size += d.Repo.Size(f)
	}
	if c.Size > maxCompose {
		return mistake.Rejected("", "%s: the Compose files have %d bytes, more than %d MiB", c.Dir, c.Size, maxCompose>>20)
	}
	return nil
}

// readName reads the name of an app's Compose files, the last one wins.
func (d *discovery) readName(c *find.Candidate, all *find.Share) error {
	if err := all.Take(c, c.Size); err != nil {
		return err
	}
	var written, file string
	for _, f := range d.files[c] {
		data, err := d.Repo.Read(f, maxFile)
		if err != nil {
			return err
		}
		nodes, err := parseNodes(f, data)
		if err != nil {
			return err
		}
		for _, node := range nodes {
			if text := nameIn(node, 0); text != "" {
				written, file = text, f
			}
		}
	}
	var err error
	c.Name, err = d.name(c.App, written, file)
	return err
}
