package source

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Whoever was there first: as long as somebody waits for the object store, nothing is
// begun there that nobody waits for.
func TestWhatNobodyWaitsForGivesWayToWhoWaitsAlready(t *testing.T) {
	r := &Repository{store: make(chan struct{}, 1)}
	leave, err := r.storeTurn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting, give := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if done, err := r.storeTurn(waiting); err == nil {
			done()
			t.Error("two have the store")
		}
	}()
	spare := func() error {
		ctx, end := r.inSpareTime(t.Context())
		defer end()
		return context.Cause(ctx)
	}
	for deadline := time.Now().Add(2 * time.Minute); !errors.Is(spare(), ErrGivesWay); {
		if time.Now().After(deadline) {
			t.Fatal("it does not give way")
		}
	}
	give()
	<-gone
	if err := spare(); err != nil {
		t.Errorf("when nobody waits any more: %v", err)
	}
	leave()
}
