package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"syncd.io/syncd/internal/apply"
)

func TestNewsOfManyAppsAreAllWritten(t *testing.T) {
	const many = 40
	p := newPlace(t)
	want := p.set(shop)[:1]
	p.deploy(want)
	pairs, _ := p.observe(want)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			news := apply.News{Key: want[0].Key, Ref: pairs[0].Live[0].Ref, Reason: fmt.Sprintf("Reason%d", i), Text: "one of many"}
			if err := p.target.Tell(t.Context(), news); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p.engine.desk.clear()
	list, err := p.engine.identities[""].typed.CoreV1().Events(p.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.uid=" + pairs[0].Live[0].Ref.ID})
	if err != nil || len(list.Items) != many {
		t.Errorf("%d of %d are there: %v", len(list.Items), many, err)
	}
}

func TestWhoFindsTheDeskTakenDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{life: t.Context()}
		var written atomic.Int32
		hold := make(chan struct{})
		slow := func(context.Context) error {
			<-hold
			written.Add(1)
			return nil
		}
		for range deskSeats {
			go func() {
				if err := d.take(t.Context(), slow); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		for range 10 {
			if err := d.take(t.Context(), slow); err != nil {
				t.Error(err)
			}
		}
		trouble := errors.New("forbidden")
		if err := d.take(t.Context(), func(context.Context) error { return trouble }); err != nil {
			t.Errorf("nobody has written it yet, and it came to %v", err)
		}
		close(hold)
		d.clear()
		if n := written.Load(); n != deskSeats+10 {
			t.Errorf("%d were written", n)
		}
		good := func(context.Context) error { return nil }
		if err := d.take(t.Context(), good); !errors.Is(err, trouble) {
			t.Errorf("the next one is told %v, want why one could not be written", err)
		}
		if err := d.take(t.Context(), good); err != nil {
			t.Errorf("it is told again: %v", err)
		}
	})
}
