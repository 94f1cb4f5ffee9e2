package applytest

import (
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// several skips the test where a slot has room for one.
func (s *suite) several() {
	s.Helper()
	if s.Alone {
		s.Skip("this target's slots have room for one")
	}
}

func (s *suite) beside() {
	s.several()
	s.base()
	old := s.put(s.V1)
	fresh := s.put(s.V2)
	if old.ID == fresh.ID {
		s.Fatal("a put with another spec took the old instance")
	}
	live := s.live(s.V2)
	if len(live) != 2 || !live[0].Running || !live[1].Running {
		s.Fatalf("live %+v, want both running", live)
	}
	if again := s.put(s.V2); again.ID != fresh.ID {
		s.Errorf("the second put made %s beside %s", again.ID, fresh.ID)
	}
	if again := s.put(s.V1); again.ID != old.ID {
		s.Errorf("putting the old one again made %s beside %s", again.ID, old.ID)
	}
}

func (s *suite) restingName() {
	s.several()
	want := append(s.base(), s.V2)
	old := s.put(s.V1)
	fresh := s.put(s.V2)
	s.remove(s.V1, old)
	if again := s.put(s.V2); again.ID != fresh.ID {
		s.Errorf("the put that restores the name made %s beside %s", again.ID, fresh.ID)
	}
	s.wantInSync(want...)
}

func (s *suite) mended() {
	s.given(s.Mended)
	want := append(s.base(), s.Mended)
	ref := s.put(s.V1)
	f := finding(s, s.Mended, s.observe(want...))
	if f.Class != drift.Modified || !f.InPlace() {
		s.Fatalf("found %s, want a difference in place", f)
	}
	if again := s.put(s.Mended); again.ID != ref.ID {
		s.Errorf("mending made %s beside %s", again.ID, ref.ID)
	}
	s.wantInSync(want...)
}

func finding(s *suite, o resource.Object, pairs []resource.Pair) drift.Finding {
	s.Helper()
	for _, f := range drift.Compare(pairs, drift.Options{}).Findings {
		if f.Key == o.Key {
			return f
		}
	}
	s.Fatalf("no finding for %s", o.Key)
	return drift.Finding{}
}

func (s *suite) stopped() {
	want := append(s.base(), s.V1)
	ref := s.put(s.V1)
	for range 2 {
		s.stop(s.V1, ref)
	}
	if n := s.running(s.V1); n != 0 {
		s.Fatalf("%d run after the stop", n)
	}
	if f := finding(s, s.V1, s.observe(want...)); f.Class != drift.Modified || !f.InPlace() {
		s.Errorf("a stopped instance: %s", f)
	}
	if again := s.put(s.V1); again.ID != ref.ID {
		s.Errorf("starting made %s beside %s", again.ID, ref.ID)
	}
	s.wantInSync(want...)
	s.becomes(s.V1, ref, resource.Well)
	s.remove(s.V1, ref)
	s.stop(s.V1, ref)
}

// stepsAside is stop-first and its undo.
func (s *suite) stepsAside() {
	base := s.base()
	old := s.put(s.V1)
	s.stop(s.V1, old)
	fresh := s.put(s.V2)
	if s.running(s.V2) != 1 || len(s.live(s.V2)) != 2 {
		s.Fatalf("live %+v, want the old one stopped and the new one running", s.live(s.V2))
	}
	s.stop(s.V2, fresh)
	if again := s.put(s.V1); again.ID != old.ID {
		s.Fatalf("the undo made %s instead of starting %s", again.ID, old.ID)
	}
	s.remove(s.V2, fresh)
	s.wantInSync(append(base[:len(base):len(base)], s.V1)...)
	s.stop(s.V1, old)
	s.put(s.V2)
	s.remove(s.V1, old)
	s.wantInSync(append(base, s.V2)...)
}

func (s *suite) claimed() {
	s.given(s.Holder, s.Rival)
	s.base()
	s.observe(s.Holder, s.Rival)
	holder := s.put(s.Holder)
	if live := s.live(s.Holder)[0]; len(live.Claims) == 0 {
		s.Errorf("the holder claims nothing: %+v", live)
	}
	if _, err := s.target.Put(s.Context(), s.Rival); fault.Of(err) != fault.Rejected {
		s.Errorf("a second holder of one claim: %v, want Rejected", err)
	}
	if s.running(s.Rival) != 0 || s.running(s.Holder) != 1 {
		s.Fatal("the rival runs, or the holder does not")
	}
	s.stop(s.Holder, holder)
	s.put(s.Rival)
	if s.running(s.Rival) != 1 {
		s.Error("the rival does not run after the holder was stopped")
	}
}

func (s *suite) absent() {
	if h := s.health(s.V1, resource.Ref{ID: "nothing"}); h.State != resource.Absent {
		s.Errorf("what never was is %s", h.State)
	}
	s.base()
	ref := s.put(s.V1)
	if h := s.health(s.V1, ref); h.State == resource.Absent || !h.Started && !s.Alone {
		s.Errorf("what was put is %+v", h)
	}
	s.remove(s.V1, ref)
	if h := s.health(s.V1, ref); h.State != resource.Absent {
		s.Errorf("what was removed is %s", h.State)
	}
}

func (s *suite) jobOnce() {
	s.given(s.Job)
	want := append(s.base(), s.Job)
	ref := s.put(s.Job)
	h := s.becomes(s.Job, ref, resource.Well)
	if h.ExitCode == nil || *h.ExitCode != 0 {
		s.Errorf("exit code %v", h.ExitCode)
	}
	s.wantInSync(want...)
	if again := s.put(s.Job); again.ID != ref.ID {
		s.Errorf("a job that is done ran again as %s", again.ID)
	}
	if s.running(s.Job) != 0 {
		s.Error("a job that is done runs")
	}
}

func (s *suite) jobAgain() {
	s.given(s.Broken)
	want := append(s.base(), s.Broken)
	ref := s.put(s.Broken)
	h := s.becomes(s.Broken, ref, resource.Failed)
	if h.ExitCode == nil || *h.ExitCode == 0 {
		s.Errorf("exit code %v", h.ExitCode)
	}
	if f := finding(s, s.Broken, s.observe(want...)); f.Class != drift.Modified {
		s.Errorf("a job that failed: %s", f)
	}
	again := s.put(s.Broken)
	s.becomes(s.Broken, again, resource.Failed)
}

func (s *suite) volumes() {
	s.given(s.Volume)
	s.base()
	volume := s.live(s.Volume)[0].Ref
	ref := s.put(s.V1)
	s.remove(s.V1, ref)
	live := s.live(s.Volume)
	if len(live) != 1 || live[0].Ref.ID != volume.ID {
		s.Fatalf("the volume is %+v after its instance was removed, want %s", live, volume.ID)
	}
	for _, p := range s.observe() {
		if p.Key == s.Volume.Key && !p.Kept {
			s.Error("its removal needs no consent")
		}
	}
}

func (s *suite) namespace() {
	s.given(s.Parent, s.Parent2, s.Child)
	base := s.base()
	parent := s.put(s.Parent)
	child := s.put(s.Child)
	s.wantInSync(append(base[:len(base):len(base)], s.Parent, s.Child)...)
	s.put(s.Parent2)
	fresh := s.put(s.Child)
	if fresh.ID == child.ID {
		s.Fatal("the child stayed in the namespace of its old parent")
	}
	s.remove(s.Child, child)
	s.remove(s.Parent, parent)
	s.put(s.Parent2)
	s.put(s.Child)
	s.wantInSync(append(base, s.Parent2, s.Child)...)
	s.becomes(s.Child, fresh, resource.Well)
}
