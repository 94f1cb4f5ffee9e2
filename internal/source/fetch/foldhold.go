package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// smallPack is the size in bytes up to which packs of bundles are joined: a few large
// ones cost nothing, and stay as Git wrote them.
const smallPack = 1 << 20

// fold joins small packs where there are too many: the repository is opened anew after
// each bundle, which looks into the index of each.
func (h *hold) fold(ctx context.Context) error {
	if h.keep { // the next import does it
		return nil
	}
	s := &store{dir: h.dir, objects: h.store}
	packs, err := s.packs()
	if err != nil {
		return err
	}
	packs = slices.DeleteFunc(packs, func(p packFile) bool { return p.size > smallPack })
	if len(packs) <= maxPacks {
		return nil
	}
	names, err := listed(packs)
	if err == nil {
		err = s.join(ctx, names, packs)
	}
	if errors.Is(err, errOdd) {
		return &damagedHold{err}
	}
	if err != nil {
		return fmt.Errorf("join the packs of bundles: %w", err)
	}
	return h.reopen()
}
