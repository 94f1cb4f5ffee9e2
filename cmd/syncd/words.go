package main

import (
	"context"
	"sync"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/sandbox"
)

// wordingLimits bound what a template takes. It makes two texts of 16 KiB at most.
func wordingLimits() sandbox.Limits {
	return sandbox.Limits{Time: 10 * time.Second, TimeoutClass: fault.Rejected, Memory: 512 << 20, Output: 1 << 20}
}

// inChild makes texts by templates in a child, which is looked for when the first is to
// be made.
func inChild() notify.Wording {
	var mu sync.Mutex // guards child, which is nil until it was found
	var child *sandbox.Child
	find := func(ctx context.Context) (sandbox.Child, error) {
		mu.Lock()
		defer mu.Unlock()
		if child == nil {
			found, err := sandbox.Find(ctx)
			if err != nil {
				return sandbox.Child{}, err
			}
			child = &found
		}
		return *child, nil
	}
	return func(ctx context.Context, d notify.Draft) (texts []string, err error) {
		found, err := find(ctx)
		if err != nil {
			return nil, err
		}
		err = found.Call(ctx, notify.DraftOp, d, &texts, wordingLimits())
		return texts, err
	}
}
