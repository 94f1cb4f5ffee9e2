package forge

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"syncd.io/syncd/internal/outbox"
)

// The names of what is kept in the outbox.
const (
	cursor       = "forge"
	commitsShelf = "forge/commits"
	inputsShelf  = "forge/inputs"
	topicOf      = "forge/" // and a destination's name
)

// keptCommits are remembered: those that were seen last.
const keptCommits = 30

// memory is all that the reporter remembers: what is in the outbox, and what of it has
// changed since. One goroutine uses it.
type memory struct {
	commits map[string]*commit
	inputs  map[string]origin
}

// recall reads what is kept.
func recall(tx *outbox.Tx) (memory, error) {
	m := memory{commits: map[string]*commit{}, inputs: map[string]origin{}}
	for _, key := range tx.Keys(commitsShelf) {
		c := newCommit(time.Time{})
		if _, err := tx.Get(commitsShelf, key, c); err != nil {
			return m, err
		}
		m.commits[key] = c.clone()
	}
	for _, key := range tx.Keys(inputsShelf) {
		var o origin
		if _, err := tx.Get(inputsShelf, key, &o); err != nil {
			return m, err
		}
		m.inputs[key] = o
	}
	return m, nil
}

func (m memory) clone() memory {
	out := memory{commits: map[string]*commit{}, inputs: maps.Clone(m.inputs)}
	for key, c := range m.commits {
		out.commits[key] = c.clone()
	}
	return out
}

// keep writes what differs from before.
func (m memory) keep(tx *outbox.Tx, before memory) error {
	if err := keepShelf(tx, commitsShelf, m.commits, before.commits); err != nil {
		return err
	}
	return keepShelf(tx, inputsShelf, m.inputs, before.inputs)
}

func keepShelf[T any](tx *outbox.Tx, shelf string, now, before map[string]T) error {
	for key, value := range now {
		if old, there := before[key]; there && reflect.DeepEqual(old, value) {
			continue
		}
		if err := tx.Put(shelf, key, value); err != nil {
			return err
		}
	}
	for key := range before {
		if _, still := now[key]; still {
			continue
		}
		if err := tx.Delete(shelf, key); err != nil {
			return err
		}
	}
	return nil
}

// of returns what is known of a commit.
func (m memory) of(hash string, now time.Time) *commit {
	if m.commits[hash] == nil {
		m.commits[hash] = newCommit(now)
	}
	return m.commits[hash]
}

// forget drops the commits that were seen first; kept are the wanted one, and those that
// are refused still. Where it is not known which is wanted, each may be that was not
// refused.
func (m memory) forget(s Sight) {
	hashes := slices.SortedFunc(maps.Keys(m.commits), func(a, b string) int { return m.commits[a].Seen.Compare(m.commits[b].Seen) })
	if s.Commit == "" {
		hashes = slices.DeleteFunc(hashes, func(hash string) bool { return m.commits[hash].Refused == "" })
	}
	for _, hash := range hashes[:max(0, len(hashes)-keptCommits)] {
		if _, refused := s.Refused[hash]; !refused && hash != s.Commit {
			delete(m.commits, hash)
		}
	}
}

// learn takes what is on record.
func (m memory) learn(facts []Fact, now time.Time) {
	for _, f := range facts {
		if f.Kind == "sync" && f.App != "" && f.Commit != "" {
			m.of(f.Commit, now).take(f)
		}
	}
}

// look takes how things stand.
func (m memory) look(s Sight, now time.Time) {
	for hash, why := range s.Refused {
		m.of(hash, now).Refused = why
	}
	if s.Commit == "" {
		return
	}
	c := m.of(s.Commit, now)
	c.Refused = ""
	present := map[string]bool{}
	for _, a := range s.Apps {
		present[a.Name] = true
		c.see(s.Commit, a, m.concerns(s.Commit, a))
	}
	maps.DeleteFunc(c.Apps, func(name string, _ note) bool { return !present[name] })
	maps.DeleteFunc(m.inputs, func(name string, _ origin) bool { return !present[name] })
}

// concerns tells whether a commit changes something for an app: its files are others
// than before, or those that they became before have had no verdict yet.
func (m memory) concerns(hash string, a App) bool {
	from, known := m.inputs[a.Name]
	if !known || from.Inputs != a.Inputs {
		m.inputs[a.Name] = origin{Inputs: a.Inputs, Commit: hash}
		return true
	}
	if from.Commit == hash {
		return true
	}
	before := m.commits[from.Commit]
	if before == nil || before.Apps[a.Name].Phase.over() {
		return false
	}
	m.inputs[a.Name] = origin{Inputs: a.Inputs, Commit: hash}
	return true
}
