package tree

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// maxHops is how many links one path may pass through, as in Linux.
const maxHops = 40

// Links are the symbolic links of a repository: path to target.
type Links map[string]string

// Refusal says why the link at p must not be written: its target is absolute,
// leaves the repository (by itself or through other links), or loops. It is
// empty for a good link; one that leads to nothing inside the repository is good.
func (l Links) Refusal(p string) string {
	target := l[p]
	switch {
	case target == "" || len(target) > MaxPath || strings.Contains(target, "\x00"):
		return "a link with an unusable target"
	case !Plain(target):
		return "a link whose target has characters that cannot be shown"
	}
	if err := l.follow(p); err != nil {
		return "a link " + err.Error()
	}
	return ""
}

var (
	errAbsolute = errors.New("to an absolute path")
	errLeaves   = errors.New("that leaves the repository")
)

// follow walks from the root to p as the kernel would, expanding every link on
// the way. What is no link is taken to be a directory or a file.
func (l Links) follow(p string) error {
	at, rest, hops := "", strings.Split(p, "/"), 0
	for len(rest) > 0 {
		step := rest[0]
		rest = rest[1:]
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
		here := path.Join(at, step)
		target, link := l[here]
		if !link {
			at = here
			continue
		}
		if hops++; hops > maxHops {
			return fmt.Errorf("that passes through more than %d links", maxHops)
		}
		if strings.HasPrefix(target, "/") {
			return errAbsolute
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return nil
}

func parent(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return ""
}
