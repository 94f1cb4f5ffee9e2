package kube

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// stage is a way to an API server whose watches show what a test says, when it does.
type stage struct {
	dead
	// old refuses to mark the end of what is there, elder says so in the watch.
	old, elder bool
	// lost is what is not served for a while.
	lost string

	mu      sync.Mutex
	watches map[string]*io.PipeWriter // by the last word of the path
	there   map[string][]string       // what a list has
	asked   []string
}

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	of, query := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], r.URL.Query()
	if !strings.Contains(r.URL.Path, "/namespaces/") {
		return s.discovery(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := silence(r)
	switch marked := query.Get("sendInitialEvents") != ""; {
	case marked && s.old:
		s.asked = append(s.asked, "refused "+of)
		out.StatusCode = http.StatusUnprocessableEntity
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422,"message":"sendInitialEvents is forbidden"}`))
	case of == s.lost:
		out.StatusCode = http.StatusNotFound
		out.Body = io.NopCloser(strings.NewReader("404 page not found"))
	case query.Get("watch") == "":
		s.asked = append(s.asked, "list "+of)
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[` + strings.Join(s.there[of], ",") + `]}`))
	case marked && s.elder:
		s.asked = append(s.asked, "cut "+of)
		out.Body = io.NopCloser(strings.NewReader(`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"InternalError","code":500,"message":"the required storage feature RequestWatchProgress is disabled"}}`))
	default:
		s.asked = append(s.asked, "watch "+of+" from "+query.Get("resourceVersion"))
		body, end := io.Pipe()
		s.watches[of], out.Body = end, body
	}
	return out, nil
}

func (s *stage) discovery(r *http.Request) (*http.Response, error) {
	out, err := s.dead.RoundTrip(r)
	switch r.URL.Path {
	case "/apis":
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]},{"name":"batch","versions":[{"groupVersion":"batch/v1","version":"v1"}]}]}`))
	case "/apis/batch/v1":
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"APIResourceList","groupVersion":"batch/v1","resources":[{"name":"jobs","namespaced":true,"kind":"Job","verbs":["patch","watch","list"]}]}`))
	case "/apis/apps/v1":
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"daemonsets","namespaced":true,"kind":"DaemonSet","verbs":["patch","watch","list"]}]}`))
	}
	return out, err
}

// show lets the watch of a kind show objects, - before one that goes; the end of all
// that is there is marked where a nothing follows.
func (s *stage) show(t *testing.T, of string, objects ...string) {
	t.Helper()
	s.mu.Lock()
	w := s.watches[of]
	s.mu.Unlock()
	for _, o := range objects {
		what := "ADDED"
		if gone, is := strings.CutPrefix(o, "-"); is {
			what, o = "DELETED", gone
		}
		if o == "" {
			what, o = "BOOKMARK", `{"kind":"Any","apiVersion":"v1","metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}}}`
		}
		if _, err := fmt.Fprintf(w, "{\"type\":%q,\"object\":%s}\n", what, o); err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
}

// cut ends the watch of a kind.
func (s *stage) cut(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.watches[of].Close()
}

// onEachNode is a DaemonSet of three pods, whose counts are as they should be.
const onEachNode = `{"kind":"DaemonSet","apiVersion":"apps/v1","metadata":{"name":"web","namespace":"a","uid":"1","generation":1,"resourceVersion":"5","annotations":{"deprecated.daemonset.template.generation":"1"}},
"spec":{"selector":{"matchLabels":{"app":"web"}},"updateStrategy":{"type":"RollingUpdate"},"template":{"spec":{"containers":[{"name":"c"}]}}},
"status":{"observedGeneration":1,"currentNumberScheduled":3,"desiredNumberScheduled":3,"numberReady":3,"numberAvailable":3,"updatedNumberScheduled":3}}`

// member is one of its pods, which was restarted that often.
func member(name string, restarts int) string {
	return fmt.Sprintf(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":%q,"namespace":"a","uid":%q,"labels":{"app":"web","pod-template-generation":"1"},
"ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"web","uid":"1","controller":true}]},
"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":%d,"state":{"running":{}}}]}}`, name, name, restarts)
}

// onStage tells a story of the DaemonSet, or of another object web of this kind: look
// is how it feels now.
func onStage(t *testing.T, s *stage, version, kind string, story func(t *testing.T, look func() resource.Health)) {
	t.Helper()
	s.watches = map[string]*io.PipeWriter{}
	synctest.Test(t, func(t *testing.T) {
		e, err := open(t.Context(), &rest.Config{Host: "http://api.example.com", Transport: s, QPS: -1}, Options{Agent: "test"})
		if err != nil {
			t.Fatal(err)
		}
		target, key := e.Target("shop"), resource.Key{Kind: kind, Namespace: "a", Name: "web"}
		target.ledger.set(key, entry{APIVersion: version, Kind: kind, Namespace: "a", Name: "web", UID: "1", fresh: true, put: time.Now()})
		story(t, func() resource.Health {
			h, err := target.Health(t.Context(), key, resource.Ref{ID: "1"})
			if err != nil {
				h.Reason = fmt.Sprintf("%s: %s", fault.Of(err), err)
			}
			return h
		})
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A part of the pods says nothing: their restarts would be taken for all, and the next
// ones for news.
func TestPodsCountOnceAllWereShown(t *testing.T) {
	s := &stage{}
	onStage(t, s, "apps/v1", "DaemonSet", func(t *testing.T, look func() resource.Health) {
		unknown := func(when string) {
			t.Helper()
			if h := look(); h.State != resource.Progressing {
				t.Errorf("%s: %+v", when, h)
			}
		}
		unknown("nothing was shown")
		s.show(t, "daemonsets", onEachNode)
		unknown("no pod was shown")
		s.show(t, "pods", member("a", 1), member("b", 2))
		if unknown("two of three were shown"); !look().Unseen {
			t.Error("it would be blamed for what was not shown")
		}
		s.show(t, "pods", member("c", 4), "")
		if h := look(); h.State != resource.Well || h.Check != apply.CheckRunning || h.Restarts != 7 {
			t.Errorf("all were shown: %+v", h)
		}
		s.cut("pods")
		time.Sleep(2 * rewatch) //nolint:forbidigo // fake time
		s.show(t, "pods", member("a", 1))
		if h := look(); h.Restarts != 7 {
			t.Errorf("the next watch has shown one: %+v", h)
		}
		time.Sleep(5 * time.Second) //nolint:forbidigo // fake time
		s.show(t, "pods", "")
		if h := look(); h.Restarts != 1 {
			t.Errorf("the next watch has shown all: %+v", h)
		}
		s.expect(t, "watch daemonsets from 0", "watch pods from 0", "watch pods from 0")
	})
}

// expect compares what was asked for.
func (s *stage) expect(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}

// An API server that does not mark the end of what is there has shown it when as many
// were shown as are due, and is asked for no mark again.
func TestAnAPIServerWithoutMarksHasShownAsManyAsAreDue(t *testing.T) {
	for said, s := range map[string]*stage{"refused": {old: true}, "cut": {elder: true}} {
		onStage(t, s, "apps/v1", "DaemonSet", func(t *testing.T, look func() resource.Health) {
			look()
			s.show(t, "daemonsets", onEachNode)
			look()
			s.show(t, "pods", member("a", 1), member("b", 2))
			if h := look(); !h.Unseen {
				t.Errorf("%s: two of three: %+v", said, h)
			}
			s.show(t, "pods", member("c", 4))
			if h := look(); h.State != resource.Well || h.Restarts != 7 {
				t.Errorf("%s: %+v", said, h)
			}
			s.cut("pods")
			time.Sleep(2 * rewatch) //nolint:forbidigo // fake time
			s.show(t, "pods", member("a", 2))
			if h := look(); h.Restarts != 7 {
				t.Errorf("%s: the next watch has shown one: %+v", said, h)
			}
			s.show(t, "pods", member("b", 2), member("c", 4))
			if h := look(); h.Restarts != 8 {
				t.Errorf("%s: the next watch: %+v", said, h)
			}
			s.expect(t, "watch daemonsets from 0", said+" pods", "watch pods from 0", "watch pods from 0")
		})
	}
}

// Where they do not come, such as where pods that ended were removed, it is listed; and
// so is one that never says whether it marks the end.
func TestAWatchThatShowsNoEndIsListed(t *testing.T) {
	s := &stage{old: true, there: map[string][]string{"pods": {member("a", 1), member("b", 2)}}}
	onStage(t, s, "apps/v1", "DaemonSet", func(t *testing.T, look func() resource.Health) {
		look()
		s.show(t, "daemonsets", onEachNode)
		for begun := time.Now(); time.Since(begun) < showAll-firstShow; { // each look waits for a while
			if h := look(); h.State != resource.Progressing {
				t.Errorf("%+v", h)
			}
		}
		time.Sleep(firstShow) //nolint:forbidigo // fake time
		if h := look(); h.State != resource.Well || h.Restarts != 3 {
			t.Errorf("%+v", h)
		}
		s.expect(t, "watch daemonsets from 0", "refused pods", "watch pods from 0", "list pods", "watch pods from 7")
	})
}

// A Job that is removed as it ends is judged by how it ended, whatever is seen first.
func TestAJobThatGoesAsItEndsIsJudged(t *testing.T) {
	job := func(leaving, condition string) string {
		return `{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"web","namespace":"a","uid":"1","generation":1` + leaving + `},
"spec":{"ttlSecondsAfterFinished":0,"selector":{"matchLabels":{"app":"web"}}},"status":{"conditions":[{"type":"` + condition + `","status":"True","reason":"Said"}]}}`
	}
	leaving := `,"deletionTimestamp":"2026-11-21T17:37:24Z","finalizers":["foregroundDeletion"]`
	for condition, want := range map[string]resource.State{"Complete": resource.Well, "Failed": resource.Failed, "Suspended": resource.Progressing} {
		for _, first := range []string{job(leaving, condition), job("", "Running")} {
			s := &stage{}
			onStage(t, s, "batch/v1", "Job", func(t *testing.T, look func() resource.Health) {
				look()
				s.show(t, "jobs", job("", "Running"))
				go look() // which watches its pods
				synctest.Wait()
				s.show(t, "pods", "")
				s.show(t, "jobs", first)
				if h := look(); first != job("", "Running") && h.State != want {
					t.Errorf("%s, and leaving: %+v", condition, h)
				}
				s.show(t, "jobs", "-"+job(leaving, condition))
				if h := look(); h.State != want {
					t.Errorf("%s, and gone: %+v", condition, h)
				}
			})
		}
	}
}

// A kind that is not served for a while, as where an API server has just come back or
// an aggregated one is away, says nothing of what was put.
func TestWhatIsNotServedBlamesNoRevision(t *testing.T) {
	for _, lost := range []string{"daemonsets", "pods"} {
		s := &stage{lost: lost}
		onStage(t, s, "apps/v1", "DaemonSet", func(t *testing.T, look func() resource.Health) {
			look()
			if lost == "pods" {
				s.show(t, "daemonsets", onEachNode)
			}
			if h := look(); !strings.HasPrefix(h.Reason, fault.Unreachable.String()) {
				t.Errorf("%s: %+v", lost, h)
			}
		})
	}
}
