package applytest

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Fixtures are the objects that Conformance puts on a target. All belong to one
// app whose name no other test uses; the zero object leaves its tests out.
type Fixtures struct {
	Owned apply.Owned
	// Network and Volume are what V1 may stand on.
	Network, Volume resource.Object
	// V1 and V2 are one slot; from one to the other a new instance is needed. V1
	// becomes healthy soon, and neither claims anything.
	V1, V2 resource.Object
	// Alone tells that a slot of this target has room for one instance: V2 then
	// mends V1.
	Alone bool
	// Mended is V1 with a difference that is mended in place.
	Mended resource.Object
	// Holder and Rival are two slots that claim one thing.
	Holder, Rival resource.Object
	// Job exits 0 soon, Broken exits with another code.
	Job, Broken resource.Object
	// Parent and Parent2 are two versions of one slot, and Child shares its
	// namespace.
	Parent, Parent2, Child resource.Object
	// Soon is how long an instance may take to be healthy, or to end; 0 is 20 s.
	Soon time.Duration
}

// suite is one target under test with its objects.
type suite struct {
	*testing.T
	target apply.Target
	Fixtures
}

// Conformance is what every Target must pass. newTarget returns an empty target
// (the app of the fixtures has nothing there yet) and cleans up with t.
func Conformance(t *testing.T, newTarget func(t *testing.T) (apply.Target, Fixtures)) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*suite)
	}{
		{"put twice is one instance", (*suite).putTwice},
		{"what was put is in sync", (*suite).inSync},
		{"looking changes nothing", (*suite).looking},
		{"removing twice is success", (*suite).removeTwice},
		{"a differing put goes beside", (*suite).beside},
		{"the resting name comes back", (*suite).restingName},
		{"a difference in place is mended", (*suite).mended},
		{"stop keeps it down", (*suite).stopped},
		{"a stopped instance steps aside", (*suite).stepsAside},
		{"a claim is held by one", (*suite).claimed},
		{"nothing has no health", (*suite).absent},
		{"a job runs once", (*suite).jobOnce},
		{"a job that failed runs again", (*suite).jobAgain},
		{"volumes outlive instances", (*suite).volumes},
		{"a shared namespace follows its parent", (*suite).namespace},
		{"a cancelled call ends", (*suite).cancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, f := newTarget(t)
			if f.Soon == 0 {
				f.Soon = 20 * time.Second
			}
			c.test(&suite{T: t, target: target, Fixtures: f})
		})
	}
}

// given skips the test where a fixture it needs is missing.
func (s *suite) given(objects ...resource.Object) {
	s.Helper()
	for _, o := range objects {
		if o.Key == (resource.Key{}) {
			s.Skip("no fixture for this target")
		}
	}
}

// base puts what instances stand on.
func (s *suite) base() []resource.Object {
	s.Helper()
	var out []resource.Object
	for _, o := range []resource.Object{s.Network, s.Volume} {
		if o.Key != (resource.Key{}) {
			s.put(o)
			out = append(out, o)
		}
	}
	return out
}

func (s *suite) put(o resource.Object) resource.Ref {
	s.Helper()
	ref, err := s.target.Put(s.Context(), o)
	if err != nil {
		s.Fatalf("put %s: %v", o.Key, err)
	}
	if ref.ID == "" {
		s.Fatalf("put %s returned no Ref", o.Key)
	}
	return ref
}

func (s *suite) remove(o resource.Object, ref resource.Ref) {
	s.Helper()
	if err := s.target.Remove(s.Context(), o.Key, ref); err != nil {
		s.Fatalf("remove %s: %v", o.Key, err)
	}
}

func (s *suite) stop(o resource.Object, ref resource.Ref) {
	s.Helper()
	stopper, ok := s.target.(apply.Stopper)
	if !ok {
		s.Skip("this target does not stop")
	}
	if err := stopper.Stop(s.Context(), o.Key, ref); err != nil {
		s.Fatalf("stop %s: %v", o.Key, err)
	}
}

func (s *suite) observe(want ...resource.Object) []resource.Pair {
	s.Helper()
	pairs, err := s.target.Observe(s.Context(), want, s.Owned)
	if err != nil {
		s.Fatalf("observe: %v", err)
	}
	for i := 1; i < len(pairs); i++ {
		if pairs[i-1].Key.Compare(pairs[i].Key) >= 0 {
			s.Fatalf("%s comes before %s", pairs[i-1].Key, pairs[i].Key)
		}
	}
	return pairs
}

func (s *suite) wantInSync(want ...resource.Object) {
	s.Helper()
	if report := drift.Compare(s.observe(want...), drift.Options{}); !report.InSync() {
		s.Fatalf("not in sync:\n%s", report)
	}
}

// live returns what is in o's slot.
func (s *suite) live(o resource.Object) []resource.Instance {
	s.Helper()
	for _, p := range s.observe(o) {
		if p.Key == o.Key {
			return p.Live
		}
	}
	s.Fatalf("no pair for the wanted slot %s", o.Key)
	return nil
}

func (s *suite) running(o resource.Object) int {
	s.Helper()
	n := 0
	for _, i := range s.live(o) {
		if i.Running {
			n++
		}
	}
	return n
}

func (s *suite) health(o resource.Object, ref resource.Ref) resource.Health {
	s.Helper()
	h, err := s.target.Health(s.Context(), o.Key, ref)
	if err != nil {
		s.Fatalf("health of %s: %v", o.Key, err)
	}
	return h
}

// becomes waits until the instance is in state.
func (s *suite) becomes(o resource.Object, ref resource.Ref, state resource.State) resource.Health {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), s.Soon)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		h := s.health(o, ref)
		if h.State == state {
			return h
		}
		select {
		case <-ctx.Done():
			s.Fatalf("%s is %s (%s), want %s", o.Key, h.State, h.Reason, state)
		case <-tick.C:
		}
	}
}

func (s *suite) putTwice() {
	for _, o := range append(s.base(), s.V1) {
		first := s.put(o)
		if again := s.put(o); again.ID != first.ID {
			s.Errorf("the second put of %s made %s beside %s", o.Key, again.ID, first.ID)
		}
		if n := len(s.live(o)); n != 1 {
			s.Errorf("%d instances of %s", n, o.Key)
		}
	}
}

func (s *suite) inSync() {
	want := append(s.base(), s.V1)
	report := drift.Compare(s.observe(s.V1), drift.Options{})
	if report.InSync() {
		s.Error("a missing instance is in sync")
	}
	ref := s.put(s.V1)
	s.wantInSync(want...)
	live := s.live(s.V1)[0]
	if live.Ref.ID != ref.ID || !live.Running || live.Foreign || live.Hash != s.V1.Hash() {
		s.Errorf("observed %+v, put %s with hash %s", live, ref.ID, s.V1.Hash())
	}
	s.becomes(s.V1, ref, resource.Well)
	s.wantInSync(want...)
	if report := drift.Compare(s.observe(append(want[:len(want)-1:len(want)-1], s.V2)...), drift.Options{}); report.InSync() {
		s.Error("another version is in sync")
	}
}

func (s *suite) looking() {
	want := append(s.base(), s.V2)
	ref := s.put(s.V1)
	s.becomes(s.V1, ref, resource.Well)
	before := frozen(s, s.observe(want...))
	s.health(s.V1, ref)
	s.health(s.V1, resource.Ref{ID: "nothing"})
	if after := frozen(s, s.observe(want...)); !bytes.Equal(before, after) {
		s.Errorf("looking changed\n%s\nto\n%s", before, after)
	}
}

// frozen is what must not change between two looks.
func frozen(s *suite, pairs []resource.Pair) []byte {
	s.Helper()
	for i := range pairs {
		for j := range pairs[i].Live {
			pairs[i].Live[j].Health.Reason = ""
		}
	}
	raw, err := json.Marshal(pairs)
	if err != nil {
		s.Fatal(err)
	}
	return raw
}

func (s *suite) removeTwice() {
	base := s.base()
	ref := s.put(s.V1)
	for range 2 {
		s.remove(s.V1, ref)
	}
	if n := len(s.live(s.V1)); n != 0 {
		s.Errorf("%d instances after the removal", n)
	}
	for _, o := range base {
		ref := s.live(o)[0].Ref
		for range 2 {
			s.remove(o, ref)
		}
	}
}

func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.target.Observe(ctx, []resource.Object{s.V1}, s.Owned); err == nil {
		s.Error("observe went on")
	}
	if _, err := s.target.Put(ctx, s.V1); err == nil || fault.Of(err) == fault.Rejected {
		s.Errorf("put: %v", err)
	}
	if n := len(s.live(s.V1)); n != 0 {
		s.Errorf("%d instances were made", n)
	}
}
