package tree

import (
	"errors"
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// maxHops is how many links one path may pass through, as in Linux.
const maxHops = 40

// Links are the symbolic links of a repository: path to target.
type Links map[string]string

// What looking at the links of one commit may take altogether: a step to a name costs
// one, and one more for each 64 bytes of the path that it leads to. An honest link takes
// some ten.
const (
	minEffort  = 1 << 20
	linkEffort = 128
)

// Judge looks at one link after the other.
type Judge struct {
	links  Links
	effort int // that is left
}

// Judge begins to look at the links, of which none may come any more.
func (l Links) Judge() *Judge { return &Judge{l, minEffort + linkEffort*len(l)} }

// Refusal says why the link at p must not be written: its target is absolute,
// leaves the repository (by itself or through other links), or loops. It is
// empty for a good link; one that leads to nothing inside the repository is good.
// The error is Rejected: the links lead through so much that nobody means it.
func (j *Judge) Refusal(p string) (string, error) {
	target := j.links[p]
	switch {
	case target == "" || len(target) > MaxPath || strings.Contains(target, "\x00"):
		return "a link with an unusable target", nil
	case !Plain(target):
		return "a link whose target has characters that cannot be shown", nil
	}
	err := j.follow(p)
	switch {
	case errors.Is(err, errEffort):
		err := fault.As(fault.Rejected, fmt.Errorf("%d links lead through %w, such as %q", len(j.links), err, p))
		return "", fault.Hint(err, "no setting raises this: let links lead where they should without others in between")
	case err != nil:
		return "a link " + err.Error(), nil //nolint:nilerr // that is the answer
	}
	return "", nil
}

var (
	errAbsolute = errors.New("to an absolute path")
	errLeaves   = errors.New("that leaves the repository")
	errLong     = fmt.Errorf("to a path of more than %d bytes", MaxPath)
	errEffort   = errors.New("too many other links and directories")
)

// follow walks from the root to p as the kernel would, expanding every link on
// the way. What is no link is taken to be a directory or a file.
func (j *Judge) follow(p string) error {
	at, hops := "", 0
	for rest := []string{p}; len(rest) > 0; { // what follows is first, what it is in comes before
		last := len(rest) - 1
		step, more, deeper := strings.Cut(rest[last], "/")
		if rest[last] = more; !deeper {
			rest = rest[:last]
		}
		here := step
		if at != "" {
			here = at + "/" + step
		}
		if j.effort -= 1 + len(here)/64; j.effort < 0 {
			return errEffort
		}
		switch step {
		case "", ".":
			continue
		case "..":
			if at == "" {
				return errLeaves
			}
			at = parent(at)
			continue
		}
		target, link := j.links[here]
		switch {
		case !link && len(here) > MaxPath:
			return errLong
		case !link:
			at = here
			continue
		}
		if hops++; hops > maxHops {
			return fmt.Errorf("that passes through more than %d links", maxHops)
		}
		if strings.HasPrefix(target, "/") {
			return errAbsolute
		}
		rest = append(rest, target)
	}
	return nil
}

func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}
