package kube

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
)

// The survey's bounds: within what time questions count as many, how long a list of
// names holds at least, how many times as long as it took, and at most; how many single
// questions call for one, how many names it may have, how long nobody asks again whether
// there are more, after what lull many questions are no reason any more to expect as
// many, and how many names are listed again for two.
const (
	surveyWithin = time.Second
	surveyHolds  = 2 * time.Second
	surveyWorth  = 40
	surveyLong   = 10 * time.Second
	surveyFrom   = 4
	surveySize   = 20000
	surveySizing = time.Minute
	surveyLull   = 2 * time.Second
	surveyShort  = 1000
)

// survey answers whether objects that are not labelled as ours exist. A few are
// asked for one by one; where many are, as when a hundred apps are deployed at once,
// one list of names answers for all.
type survey struct {
	mu    sync.Mutex // guards what follows
	asked int
	// many tells that the second before had many questions.
	many bool
	// short tells that the last list was no more work than a few questions are.
	short bool
	until time.Time
	all   *listing // nil where there is no list, or too much to list
	sized time.Time
	big   bool
}

// listing is the names that there were at a time of what is not ours.
type listing struct {
	names map[string]bool
	asked time.Time
}

// surveyed returns the survey of a place.
func (e *Engine) surveyed(at scope) *survey {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.surveys[at] == nil {
		e.surveys[at] = &survey{}
	}
	return e.surveys[at]
}

// exists tells whether there is an object of this name, which no watch shows as ours,
// and as of when: a list may be some seconds old. Put is when this process has put it
// last, zero for never: an older list says nothing of it.
func (e *Engine) exists(ctx context.Context, id *identity, w *wanted, put time.Time) (there bool, asOf time.Time, err error) {
	at := scope{account: id.name, kind: w.kind, namespace: w.manifest.GetNamespace()}
	var place metadata.ResourceInterface = id.metadata.Resource(w.kind.gvr)
	if w.kind.namespaced {
		place = id.metadata.Resource(w.kind.gvr).Namespace(at.namespace)
	}
	doing := "look at " + w.object.Key.String()
	all, err := e.surveyed(at).listed(ctx, e, at, place)
	if err != nil {
		return false, asOf, classified(err, doing)
	}
	if all != nil && !all.names[w.manifest.GetName()] && all.asked.After(put) {
		return false, all.asked, nil
	}
	asOf = time.Now()
	// What a list names may be gone meanwhile, and is asked for by itself. From the API server's cache: what was made in this very moment may be missing.
	err = e.bounded(ctx, func(ctx context.Context) error {
		_, err := place.Get(ctx, w.manifest.GetName(), metav1.GetOptions{ResourceVersion: "0"})
		return err
	})
	if apierrors.IsNotFound(err) {
		return false, asOf, nil
	}
	return err == nil, asOf, classified(err, doing)
}

// listed counts a question, and returns the names where a list answers; nil where
// the object is to be asked for by itself.
func (s *survey) listed(ctx context.Context, e *Engine, at scope, place metadata.ResourceInterface) (*listing, error) {
	all, many := s.count(time.Now())
	if all != nil || !many {
		return all, nil
	}
	what := fmt.Sprintf("names %s %s %s", at.account, at.kind.gvr, at.namespace)
	if err := e.once.ask(ctx, what, func(ctx context.Context) error { return s.learn(ctx, e, place) }); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all, nil
}

// count notes a question, and tells whether there are many: within a second, or in
// the one before it.
func (s *survey) count(now time.Time) (all *listing, many bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.until) {
		s.many = now.Sub(s.until) < surveyLull && (s.asked > surveyFrom || s.asked > 1 && s.short)
		s.until, s.asked, s.all = now.Add(surveyWithin), 0, nil
	}
	s.asked++
	return s.all, s.many || s.asked > surveyFrom
}

// learn lists the names, unless there are too many.
func (s *survey) learn(ctx context.Context, e *Engine, place metadata.ResourceInterface) error {
	if big, err := s.measure(ctx, e, place); err != nil || big {
		return err
	}
	asked := time.Now()
	others := LabelAgent + "!=" + e.agent                                                               // ours are watched
	list, err := e.namesOf(ctx, place, metav1.ListOptions{LabelSelector: others, ResourceVersion: "0"}) // all, from the API server's cache
	if err != nil {
		return err
	}
	names := make(map[string]bool, len(list.Items))
	for _, item := range list.Items {
		names[item.Name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.short, s.until = &listing{names, asked}, len(names) <= surveyShort, time.Now().Add(holdsFor(time.Since(asked)))
	return nil
}

// holdsFor is how long a list of names counts that took so long: what is large, or comes
// from a busy API server, is not asked for each second.
func holdsFor(took time.Duration) time.Duration {
	return min(max(surveyHolds, surveyWorth*took), surveyLong)
}

// measure finds out whether there is too much to list, or it may not be.
func (s *survey) measure(ctx context.Context, e *Engine, place metadata.ResourceInterface) (big bool, err error) {
	s.mu.Lock()
	big, recent := s.big, time.Since(s.sized) < surveySizing
	s.mu.Unlock()
	if recent {
		return big, nil
	}
	first, err := e.namesOf(ctx, place, metav1.ListOptions{Limit: 1})
	switch {
	case apierrors.IsForbidden(err):
		big = true
	case err != nil:
		return false, err
	default:
		left := first.RemainingItemCount
		big = left != nil && *left > surveySize || left == nil && first.Continue != ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.big, s.sized = big, time.Now()
	return big, nil
}

func (e *Engine) namesOf(ctx context.Context, place metadata.ResourceInterface, opts metav1.ListOptions) (list *metav1.PartialObjectMetadataList, err error) {
	err = e.bounded(ctx, func(ctx context.Context) error {
		list, err = place.List(ctx, opts)
		return err
	})
	return list, err
}

// over tells whether nothing that was answered holds any more.
func (s *survey) over(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.until) > surveyLull && now.Sub(s.sized) > surveySizing
}
