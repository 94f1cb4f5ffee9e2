package kube

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// leases is a way to an API server that keeps one Lease, and may cease to answer.
type leases struct {
	mu      sync.Mutex
	now     *coordination.Lease // nil where there is none
	version int
	hangs   bool
	// created is called before a Lease is made, by somebody who may be faster.
	created func()
}

func (s *leases) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangs {
		s.mu.Unlock()
		<-r.Context().Done()
		s.mu.Lock()
		return nil, r.Context().Err()
	}
	code, reason := s.answer(r)
	var body any = s.now
	if code >= http.StatusBadRequest {
		body = metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Reason: reason, Code: int32(code)}
	}
	raw, err := json.Marshal(body)
	return &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(raw))),
	}, err
}

func (s *leases) answer(r *http.Request) (int, metav1.StatusReason) {
	var sent coordination.Lease
	if r.Body != nil {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return http.StatusBadRequest, metav1.StatusReasonBadRequest
		}
	}
	if r.Method == http.MethodPost && s.created != nil {
		s.created()
	}
	switch {
	case r.Method == http.MethodPost && s.now != nil:
		return http.StatusConflict, metav1.StatusReasonAlreadyExists
	case r.Method != http.MethodPost && s.now == nil:
		return http.StatusNotFound, metav1.StatusReasonNotFound
	case r.Method == http.MethodPut && sent.ResourceVersion != s.now.ResourceVersion:
		return http.StatusConflict, metav1.StatusReasonConflict
	case r.Method != http.MethodGet:
		s.write(&sent)
	}
	return http.StatusOK, ""
}

func (s *leases) write(to *coordination.Lease) {
	s.version++
	to.ResourceVersion = strconv.Itoa(s.version)
	to.TypeMeta = metav1.TypeMeta{Kind: "Lease", APIVersion: "coordination.k8s.io/v1"}
	s.now = to
}

// others writes the Lease as another agent's.
func (s *leases) others() {
	to := &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Namespace: "syncd"}}
	(&lease{identity: "second"}).claim(to)
	s.write(to)
}

func (s *leases) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// keeping takes the Lease and keeps it; it returns what is kept and what is closed when
// that has ended.
func (s *leases) keeping(t *testing.T) (*hold, <-chan struct{}) {
	t.Helper()
	l, err := Election{Config: &rest.Config{Host: "http://api.example.com", Transport: s, QPS: -1}, Namespace: "syncd", Identity: "first"}.lease()
	if err != nil {
		t.Fatal(err)
	}
	h := &hold{lease: l, tell: func(err error) {
		if err != nil {
			t.Log(time.Now(), err)
		}
	}, met: func(string) {}}
	if !h.take(t.Context()) {
		t.Fatal("the lease is not taken")
	}
	ended := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { defer close(ended); h.keep(ctx) }()
	return h, ended
}

// A leader whose Lease is another's by now leads no longer than until its next
// renewal, however that came about.
func TestALeaderThatMeetsAnotherStopsAtOnce(t *testing.T) {
	for name, change := range map[string]func(*leases){
		"it was edited":                      func(s *leases) { s.others() },
		"it was removed":                     func(s *leases) { s.now = nil; s.created = s.others },
		"it was removed and made by another": func(s *leases) { s.now = nil; s.others() },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &leases{}
			_, ended := s.keeping(t)
			time.Sleep(5 * time.Second) //nolint:forbidigo // fake time
			s.change(func() { change(s) })
			begun := time.Now()
			<-ended
			if took := time.Since(begun); took > renewEvery {
				t.Errorf("%s: it stopped after %s", name, took)
			}
		})
	}
}

// A Lease that somebody has removed, or has written something beside, is still the
// leader's.
func TestALeaderKeepsALeaseThatNobodyElseHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &leases{}
		h, ended := s.keeping(t)
		for _, change := range []func(){
			func() { s.now = nil },
			func() { to := s.now.DeepCopy(); to.Annotations = map[string]string{"seen": "yes"}; s.write(to) },
		} {
			time.Sleep(5 * time.Second) //nolint:forbidigo // fake time
			s.change(change)
		}
		time.Sleep(renewEvery + time.Second) //nolint:forbidigo // fake time
		select {
		case <-ended:
			t.Error("it has stopped")
		default:
		}
		if h.age() > renewEvery || holder(s.now) != "first" {
			t.Errorf("it was renewed %s ago, and is held by %q", h.age(), holder(s.now))
		}
	})
}

// A leader that cannot renew stops so early that its last words come before another
// may lead.
func TestALeaderWithoutAnAnswerStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &leases{}
		h, ended := s.keeping(t)
		time.Sleep(5 * time.Second) //nolint:forbidigo // fake time
		s.change(func() { s.hangs = true })
		<-ended
		if h.age() > renewLimit || h.age()+lastWords > leaseTime {
			t.Errorf("it stopped %s after the last renewal", h.age())
		}
	})
}
