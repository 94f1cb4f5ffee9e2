package forge

import (
	"errors"
	"strings"
	"time"

	"syncd.io/syncd/internal/config"
)

// Count is what became of the statuses for one forge.
type Count struct {
	// Name is the forge's in the settings.
	Name string
	// Waiting are those that were not taken yet, the oldest from Oldest on.
	Waiting int
	Oldest  time.Time
	// Ended counts attempts since the start: delivered, retried, refused, given up, and
	// what was dropped for want of room.
	Ended map[string]uint64
}

// Counts are those of each forge, without asking it.
func (r *Reporter) Counts() []Count {
	var all []Count
	for _, d := range r.to {
		c := Count{Name: d.name(), Ended: map[string]uint64{}}
		d.mu.Lock()
		for what, n := range d.ended {
			c.Ended[string(what)] = n
		}
		d.mu.Unlock()
		if l, err := r.opts.Box.Length(d.topic()); err == nil {
			c.Waiting, c.Oldest, c.Ended["dropped"] = l.Items, l.Oldest, l.Dropped
		}
		all = append(all, c)
	}
	return all
}

// Check finds out whether each forge could be told, without asking it: its repository
// is known, and its token can be read. Notes say what is odd and works. Errors never
// hold a token.
func Check(feedback []config.Feedback, repo string) (notes []string, err error) {
	var all []error
	for _, conf := range feedback {
		d, err := newDestination(conf, Options{Repo: repo})
		if err != nil {
			all = append(all, err)
			continue
		}
		_, badToken := d.token()
		_, badTrust := d.trust()
		all = append(all, badToken, badTrust)
		if strings.HasPrefix(d.place.API, "http://") {
			notes = append(notes, "feedback "+d.name()+" sends its token to "+d.place.API+" in the clear")
		}
	}
	return notes, errors.Join(all...)
}
