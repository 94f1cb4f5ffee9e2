package source

import (
	"context"
	"maps"
	"slices"

	"syncd.io/syncd/internal/source/bundle"
)

// maxTogether is how many bundles the child reads at once: what it has taken in stays,
// also where the next ones take too long.
const maxTogether = 250

// importAll lets the child take in all files, some at a time, the oldest first: those
// that wait are looked at again as long as others get in. Of those that were taken in
// before, nothing is read.
func (b *bundles) importAll(ctx context.Context, store string, files []bundle.File, before map[bundle.File][]bundle.Ref) (ImportAnswer, error) {
	states, taken := map[string]BundleState{}, map[string][]bundle.Ref{}
	var open []string // the newest first
	for _, f := range files {
		if refs, ok := before[f]; ok {
			taken[f.Path] = refs
		} else {
			open = append(open, f.Path)
		}
	}
	answer := ImportAnswer{}
	for first := true; first || len(open) > 0; first = false {
		held := len(taken)
		for rest := open; first || len(rest) > 0; first = false {
			now := rest[max(0, len(rest)-maxTogether):]
			rest = rest[:len(rest)-len(now)]
			var err error
			if answer, err = b.importTogether(ctx, store, among(files, taken, now), maps.Clone(taken)); err != nil || answer.Damaged != "" {
				return answer, err
			}
			for _, s := range answer.Bundles {
				states[s.File] = s
				if len(s.Brings) > 0 && s.Counts() {
					taken[s.File] = s.Brings
				}
			}
		}
		many := len(open) > maxTogether
		open = slices.DeleteFunc(open, func(path string) bool { return states[path].State != BundleWaits })
		if len(taken) == held || !many {
			break
		}
	}
	return ImportAnswer{Bundles: inOrder(files, states, taken, answer.Refs), Refs: answer.Refs}, nil
}

// among are the paths of some files and of those that are taken in, the newest first.
func among(files []bundle.File, taken map[string][]bundle.Ref, now []string) []string {
	wanted := map[string]bool{}
	for _, path := range now {
		wanted[path] = true
	}
	var out []string
	for _, f := range files {
		if _, ok := taken[f.Path]; ok || wanted[f.Path] {
			out = append(out, f.Path)
		}
	}
	return out
}

// inOrder are the states of all files, by what the refs are in the end.
func inOrder(files []bundle.File, states map[string]BundleState, taken map[string][]bundle.Ref, refs []BundleRef) []BundleState {
	names := map[bundle.Ref]bool{}
	for _, r := range refs {
		names[r.Ref] = true
	}
	var out []BundleState
	for _, f := range files {
		s := states[f.Path]
		s.File, s.Brings = f.Path, taken[f.Path]
		if s.Brings != nil {
			s.State = BundleOlder
			if slices.ContainsFunc(s.Brings, func(r bundle.Ref) bool { return names[r] }) {
				s.State = BundleServes
			}
		}
		out = append(out, s)
	}
	return out
}

// learn notes what those bundles brought that count.
func (b *bundles) learn() {
	b.taken = map[bundle.File][]bundle.Ref{}
	for i := range b.states {
		s := &b.states[i]
		if s.Counts() && len(s.Brings) > 0 {
			b.taken[b.files[i]] = s.Brings
		}
		s.Brings = nil // nobody else asks
	}
}
