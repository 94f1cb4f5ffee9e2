package compose

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/consts"

	"syncd.io/syncd/internal/render/repo"
)

// asked is an include or extends as compose-go asks for it: the file that it is
// loading, as a repository path, and the words. Words that stand in a file which
// that file extends count as its own.
type asked struct{ file, words string }

// leads is what the scanner found the includes and extends of an app to lead to.
type leads struct {
	// to are the repository paths. There are several where one file, or what it
	// extends, says the same words in directories of its own.
	to map[asked][]string
	// dirs are the directories that compose-go loads a file for.
	dirs map[string]bool
}

func newLeads() *leads { return &leads{to: map[asked][]string{}, dirs: map[string]bool{}} }

func (l *leads) add(file, words, to string) {
	key := asked{file, words}
	if !slices.Contains(l.to[key], to) {
		l.to[key] = append(l.to[key], to)
	}
}

// ambiguous are the words that lead to several files, and into the repository
// from wherever compose-go could ask for them.
func (l *leads) ambiguous(r *repo.Repo) map[string]bool {
	out := map[string]bool{}
	for key, to := range l.to {
		if len(to) > 1 && l.staysInside(r, key.words) {
			out[key.words] = true
		}
	}
	return out
}

func (l *leads) staysInside(r *repo.Repo, words string) bool {
	for dir := range l.dirs {
		name, err := repo.Join(dir, words)
		if err != nil {
			return false
		}
		if _, err := r.Follow(name); err != nil {
			return false
		}
	}
	return true
}

// gate resolves every include and extends for compose-go, which confines
// nothing: to the file that the scanner found for these words in this file, and
// to nothing else. It is the first loader that compose-go asks.
type gate struct {
	repo  *repo.Repo
	leads *leads
	// left is what compose-go resolves itself: it knows which of several places
	// it is at, and each of them leads into the repository.
	left map[string]bool
	// dir is that of the file which was loaded last, absolute.
	dir string
}

func newGate(r *repo.Repo, l *leads) *gate { return &gate{repo: r, leads: l, left: l.ambiguous(r)} }

// Accept is true for all that the gate resolves or refuses.
func (g *gate) Accept(words string) bool { return !g.left[words] }

// Load returns the absolute path of the file that the words lead to.
func (g *gate) Load(ctx context.Context, words string) (string, error) {
	loading, ok := ctx.Value(consts.ComposeFileKey{}).(string)
	file, inside := g.repo.Rel(loading)
	if !ok || !inside {
		return "", fmt.Errorf("%s: asked for from outside the repository", words)
	}
	to := g.leads.to[asked{file, words}]
	switch len(to) {
	case 1:
	case 0:
		return "", fmt.Errorf("%s: the file was not checked before", words)
	default:
		return "", fmt.Errorf("%s: leads to %s and to %s; write one of them as ./%s", words, to[0], to[1], words)
	}
	if _, err := g.repo.Follow(to[0]); err != nil {
		return "", fmt.Errorf("%s: %w", words, err)
	}
	g.dir = filepath.Dir(g.repo.Abs(to[0]))
	return g.repo.Abs(to[0]), nil
}

// Dir is asked for right after Load, and about the same file. It is absolute, so
// that paths in the file mean the same wherever they are put.
func (g *gate) Dir(string) string { return g.dir }
