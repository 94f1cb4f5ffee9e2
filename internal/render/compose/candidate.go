package compose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
)

// candidate is a directory that holds an app, as far as it was read.
type candidate struct {
	render.App
	files []string // Compose files
	size  int64    // of what is read next, in bytes
	err   error
}

func (c *candidate) settings() string { return path.Join(c.Dir, settingsFile) }

// fail keeps the first error.
func (c *candidate) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// share is what all apps of a repository may take together, in bytes.
type share struct {
	left int64
	what string
}

// take takes size bytes for an app.
func (s *share) take(c *candidate, size int64) error {
	if s.left -= size; s.left >= 0 {
		return nil
	}
	return mistake.Rejected("make them smaller, or give these apps a repository of their own",
		"%s: the %s of all apps are too large to be read, and with %d bytes these are among the largest", c.Dir, s.what, size)
}

// readSettings reads an app's .syncd.yaml, where there is one.
func (d *discovery) readSettings(c *candidate, file, answer *share) error {
	if !d.repo.Exists(c.settings()) {
		return nil
	}
	if err := file.take(c, c.size); err != nil {
		return err
	}
	data, err := d.repo.Read(c.settings(), maxSettings)
	if err != nil {
		return err
	}
	decoded, err := config.DecodeApp(c.settings(), data)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(decoded)
	if err != nil {
		return fmt.Errorf("encode %s: %w", c.settings(), err)
	}
	if err := answer.take(c, int64(len(encoded))); err != nil {
		return err
	}
	c.Config = decoded
	return nil
}

// list finds an app's Compose files and how large they are together.
func (d *discovery) list(c *candidate) error {
	var err error
	if c.files, err = newApp(render.Request{App: c.App}, d.repo).files(); err != nil {
		return err
	}
	c.size = 0
	for _, f := range c.files {
		c.size += d.repo.Size(f)
	}
	if c.size > maxCompose {
		return mistake.Rejected("", "%s: the Compose files have %d bytes, more than %d MiB", c.Dir, c.size, maxCompose>>20)
	}
	return nil
}

// readName reads the name of an app's Compose files, the last one wins.
func (d *discovery) readName(c *candidate, all *share) error {
	if err := all.take(c, c.size); err != nil {
		return err
	}
	var written, file string
	for _, f := range c.files {
		data, err := d.repo.Read(f, maxFile)
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

// answer returns the apps in the order of their directories, each with its own
// error.
func (d *discovery) answer() []render.App {
	text := 0
	out := make([]render.App, 0, len(d.apps))
	for _, c := range d.apps {
		if c.err != nil {
			c.Name, c.Error, c.Hint = d.roughName(c), mistake.Message(c.err, d.repo.Base(), nil), fault.Advice(c.err)
		}
		out = append(out, c.App)
	}
	slices.SortFunc(out, func(x, y render.App) int { return cmp.Compare(x.Dir, y.Dir) })
	unique(out)
	for i := range out {
		app := &out[i]
		if text += len(app.Error) + len(app.Hint); app.Error != "" && text > allErrors {
			app.Error, app.Hint = "as many others of this repository, the app cannot be used", ""
		}
	}
	return out
}
