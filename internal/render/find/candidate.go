package find

import (
	"encoding/json"
	"fmt"
	"path"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
)

// Candidate is a directory that holds an app, as far as it was read.
type Candidate struct {
	render.App
	Size int64 // of what is read next, in bytes
	Err  error
}

// Settings is the path of its .syncd.yaml.
func (c *Candidate) Settings() string { return path.Join(c.Dir, Settings) }

// Fail keeps the first error.
func (c *Candidate) Fail(err error) {
	if c.Err == nil {
		c.Err = err
	}
}

// Share is what all apps of a repository may take together, in bytes.
type Share struct {
	left int64
	what string
}

// NewShare is a share of so many bytes; what says of what.
func NewShare(bytes int64, what string) *Share { return &Share{left: bytes, what: what} }

// Take takes size bytes for an app.
func (s *Share) Take(c *Candidate, size int64) error {
	if s.left -= size; s.left >= 0 {
		return nil
	}
	return mistake.Rejected("make them smaller, or give these apps a repository of their own",
		"%s: the %s of all apps are too large to be read, and with %d bytes these are among the largest", c.Dir, s.what, size)
}

// readSettings reads an app's .syncd.yaml, where there is one.
func (f *Find) readSettings(c *Candidate, file, answer *Share) error {
	if !f.Repo.Exists(c.Settings()) {
		return nil
	}
	if err := file.Take(c, c.Size); err != nil {
		return err
	}
	data, err := f.Repo.Read(c.Settings(), maxSettings)
	if err != nil {
		return err
	}
	decoded, err := config.DecodeApp(c.Settings(), data)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(decoded)
	if err != nil {
		return fmt.Errorf("encode %s: %w", c.Settings(), err)
	}
	if err := answer.Take(c, int64(len(encoded))); err != nil {
		return err
	}
	c.Config = decoded
	return nil
}
