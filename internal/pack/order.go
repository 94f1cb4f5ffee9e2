package pack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"syncd.io/syncd/internal/durable"
)

// MaxCommits is how many commits of its history a pack names, to be ordered by.
const MaxCommits = 10_000

const (
	orderName = "order.json"
	// maxKnown is of how many commits a host remembers that packs brought them.
	maxKnown = 4 * MaxCommits
)

// order is what a host knows of the packs that it took, besides the last receipt. Of
// a host that lost it, and of packs that say too little, nothing but the time of
// making orders packs.
type order struct {
	// Pack is the pack that this was written for: before its receipt, so that it may
	// not have been unpacked to the end.
	Pack string `json:"pack,omitempty"`
	// Images are what names meant in the pack that was unpacked last.
	Images map[string]string `json:"images,omitempty"`
	// Commits are what packs brought, and what that builds on, the newest last.
	Commits []string `json:"commits,omitempty"`
}

// older says why a pack comes before the one that was unpacked last; empty where it
// comes after that. What a pack carries decides: who made it with the receipt of the
// last one, or with a revision that leads on from that one's, knew of it.
func (in *Inbox) older(p *Pack, last Receipt) (string, error) {
	m := p.Manifest
	if last.Pack == "" || last.Pack == p.ID {
		return "", nil
	}
	took, err := in.took(p)
	if err != nil {
		return "", err
	}
	known, err := in.order()
	switch {
	case err != nil:
		return "", err
	case took:
		return "it was unpacked before that", nil
	case known.Pack == p.ID:
		return "", nil // that was found when it was begun
	case m.After == last.Pack:
		return "", nil
	case m.To == last.Commit && maps.Equal(m.meanings(), known.Images):
		return "", nil // it can only bring what was lost
	case m.To == last.Commit:
		return undecided(m, last), nil
	case slices.Contains(m.Since, last.Commit), slices.Contains(m.Commits, last.Commit):
		return "", nil
	case slices.Contains(last.Since, m.To), slices.Contains(known.Commits, m.To):
		return fmt.Sprintf("its revision %.10s is part of the history of what was unpacked", m.To), nil
	}
	return undecided(m, last), nil
}

// undecided goes by the time of making, where nothing else is known.
func undecided(m Manifest, last Receipt) string {
	if !m.Made.Before(last.Made) {
		return ""
	}
	return fmt.Sprintf("it says that it was made at %s, and what was unpacked at %s; where a clock was wrong, have it made with this host's newest receipt (syncd pack --receipt FILE)",
		m.Made.UTC().Format(time.RFC3339), last.Made.UTC().Format(time.RFC3339))
}

// meanings are the digests that names of images stand for.
func (m Manifest) meanings() map[string]string {
	out := map[string]string{}
	for _, i := range m.Images {
		out[i.Name] = i.Digest
	}
	return out
}

// took tells whether a pack was ever unpacked here.
func (in *Inbox) took(p *Pack) (bool, error) {
	found, err := filepath.Glob(filepath.Join(in.Dir, receiptsDir, "*-"+p.short()+".json"))
	return len(found) > 0, err
}

// order reads what is known. What cannot be understood is begun anew.
func (in *Inbox) order() (order, error) {
	file := filepath.Join(in.Dir, receiptsDir, orderName)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return order{}, nil
	}
	var out order
	if err != nil {
		return out, notRead(file, fmt.Errorf("read the order of packs: %w", err))
	}
	if json.Unmarshal(data, &out) != nil {
		return order{}, nil //nolint:nilerr // see above
	}
	return out, nil
}

// remember notes what a pack brings that is unpacked after the one of last.
func (in *Inbox) remember(p *Pack, last Receipt) error {
	known, err := in.order()
	if err != nil {
		return err
	}
	all := append(known.Commits, last.Since...)
	if last.Commit != "" {
		all = append(all, last.Commit)
	}
	all = append(all, p.Manifest.Since...)
	for _, hash := range slices.Backward(p.Manifest.Commits) {
		all = append(all, hash)
	}
	data, err := json.Marshal(order{Pack: p.ID, Images: p.Manifest.meanings(), Commits: lately(append(all, p.Manifest.To), maxKnown)})
	if err != nil {
		return fmt.Errorf("note the order of packs: %w", err)
	}
	return durable.Replace(filepath.Join(in.Dir, receiptsDir, orderName), data)
}

// lately leaves of a list the last n, each once.
func lately(all []string, n int) []string {
	seen := map[string]bool{}
	out := slices.DeleteFunc(all, func(s string) bool { twice := seen[s]; seen[s] = true; return twice })
	return out[max(0, len(out)-n):]
}
