package remote

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nearest"
	"syncd.io/syncd/internal/resource"
)

// Found is the answer of a ref query.
type Found struct {
	// Commit is the full object name; annotated tags are peeled.
	Commit string `json:"commit"`
	// Ref is the full name that was found; HEAD where the remote does not say
	// what it stands for; empty for a commit given by name.
	Ref string `json:"ref"`
}

// Pick looks for w among the refs that a remote advertises. The error is
// Rejected and its hint lists near names.
func Pick(refs *packp.AdvRefs, w Want) (Found, error) {
	if values := refs.Capabilities.Get("object-format"); len(values) > 0 && values[0] != "sha1" {
		return Found{}, fault.As(fault.Rejected, errors.New("the repository uses SHA-256 object names, which are not supported"))
	}
	if w.Commit != "" {
		return Found{Commit: w.Commit}, nil
	}
	if w.Semver != "" {
		return release(refs, w)
	}
	if len(w.Refs) == 0 {
		return head(refs)
	}
	for _, name := range w.Refs {
		if hash, ok := lookup(refs, name); ok {
			return Found{Commit: hash.String(), Ref: name}, nil
		}
	}
	return Found{}, absent(w, slices.Collect(maps.Keys(refs.References)))
}

// release finds the highest tag in the range.
func release(refs *packp.AdvRefs, w Want) (Found, error) {
	names := slices.Collect(maps.Keys(refs.References))
	if len(names) == 0 {
		return Found{}, ErrEmpty()
	}
	name, ok := highest(w.Semver, names)
	if !ok {
		return Found{}, noVersion(w, names)
	}
	hash, _ := lookup(refs, name)
	return Found{Commit: hash.String(), Ref: name}, nil
}

func lookup(refs *packp.AdvRefs, name string) (plumbing.Hash, bool) {
	if hash, ok := refs.Peeled[name]; ok {
		return hash, true
	}
	hash, ok := refs.References[name]
	return hash, ok
}

func head(refs *packp.AdvRefs) (Found, error) {
	if refs.Head == nil {
		return Found{}, absent(Want{}, slices.Collect(maps.Keys(refs.References)))
	}
	found := Found{Commit: refs.Head.String(), Ref: "HEAD"}
	for _, pair := range refs.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(pair, "HEAD:"); ok && refName(target) == nil {
			found.Ref = target
		}
	}
	return found, nil
}

// ErrEmpty is the error for a repository without a commit.
func ErrEmpty() error {
	return fault.Hint(fault.As(fault.Rejected, errors.New("the repository has no commits")), "push the first commit; nothing is changed until then")
}

// absent is the error for a name that does not exist among names.
func absent(w Want, names []string) error {
	err := fault.As(fault.Rejected, fmt.Errorf("the repository has no %s", w))
	if len(w.Refs) == 0 {
		err = fault.As(fault.Rejected, errors.New("HEAD of the repository names a branch that has no commits"))
	}
	near := near(w, names)
	if len(near) == 0 {
		return fault.Hint(err, "set repo.ref to a branch or tag that exists")
	}
	return fault.Hint(err, "set repo.ref to one that exists: "+strings.Join(near, ", "))
}

// compared is among how many names near ones are looked for.
const compared = 5000

// near returns the names closest to what was wanted, at most five, made
// harmless: the remote chose them.
func near(w Want, names []string) []string {
	wanted := "main"
	if len(w.Refs) > 0 {
		wanted = Short(w.Refs[0])
	}
	var short []string
	slices.Sort(names) // branches before pull requests and tags
	for _, name := range names[:min(compared, len(names))] {
		if strings.HasPrefix(name, heads) || strings.HasPrefix(name, tags) {
			short = append(short, Short(name))
		}
	}
	out := nearest.Few(wanted, short, 5)
	for i, name := range out {
		out[i] = resource.Harmless(name, 60)
	}
	return out
}
