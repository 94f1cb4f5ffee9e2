package endtoend_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/reconcile"
)

func TestAdoptionFromAnotherAgentLeavesOneWriter(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.deploy(shared)
	a.ends(reconcile.Applied)
	was := a.ids("web", "db")

	b.deploy(shared)
	b.untouched(func() {
		if res := b.ends(reconcile.Blocked); !strings.Contains(res.Reason, a.id()) {
			t.Errorf("the reason does not name who made it: %s", res.Reason)
		}
		preview := b.says("adopt", reconcile.ActRequest{})
		for _, text := range []string{"another syncd agent (state directory ID " + a.id() + ")", "stop it first", " 0 would be replaced"} {
			if !strings.Contains(preview.Text, text) {
				t.Errorf("adopt says beforehand %q, want %q\n%s", preview.Text, text, preview.Preview.Error)
			}
		}
	})
	if marks := b.marks(); len(marks) != 0 {
		t.Errorf("asking left %q", marks)
	}
	b.adopts()
	if a.ids("web", "db") != was {
		t.Fatalf("something was restarted\n%s", b.story())
	}
	a.out(b)
	b.ends(reconcile.Unchanged)

	a.must(a.api.ContainerStop(t.Context(), a.one("web").ID, container.StopOptions{}))
	a.out(b)
	b.ends(reconcile.Applied)
	a.deploy(withoutDB)
	a.out(b)
	b.deploy(version(shared, "2"))
	b.ends(reconcile.Applied)
	b.ends(reconcile.Unchanged)
	a.out(b)

	a.deploy(version(shared, "2"))
	a.adopts()
	if marks := a.marks(); len(marks) != 1 {
		t.Errorf("the marks are %q, want the last one", marks)
	}
	b.out(a)
	a.ends(reconcile.Unchanged)
}

func TestRollbackAndRemovalOfWhatAnotherAgentTookOverTouchNothing(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.place("other/readme", "the repository is not empty")
	b.place("other/readme", "the repository is not empty")
	a.deploy(shared)
	a.ends(reconcile.Applied)
	a.deploy(version(shared, "2"))
	a.ends(reconcile.Applied)
	b.deploy(version(shared, "2"))
	b.ends(reconcile.Blocked)
	b.adopts()

	a.untouched(func() {
		if res := a.says("rollback", reconcile.ActRequest{}).Result; res.Outcome != reconcile.Blocked {
			t.Errorf("the rollback ended %s: %s", res.Outcome, res.Reason)
		}
	})
	a.out(b)
	a.must(os.RemoveAll(filepath.Join(a.repo, a.project)))
	a.merge("remove the app")
	a.untouched(func() { a.ends(reconcile.Unchanged) })
	b.ends(reconcile.Unchanged)

	b.must(os.RemoveAll(filepath.Join(b.repo, b.project)))
	b.merge("remove the app")
	res := b.ends(reconcile.Blocked)
	if strings.Contains(strings.Join(res.Plan.Consents, " "), "syncd-owner") {
		t.Errorf("the mark waits for consent: %q", res.Plan.Consents)
	}
	b.says("approve", reconcile.ActRequest{Plan: res.Ask})
	if left := b.service("web"); len(left) > 0 || b.hasVolume(b.project+"_data") || len(b.marks()) > 0 {
		t.Errorf("of the app there are still %d containers, and %q", len(left), b.marks())
	}
}

func TestReleasedByItsNewOwner(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.deploy(shared)
	a.ends(reconcile.Applied)
	b.deploy(shared)
	b.adopts()
	a.out(b)

	a.untouched(func() { a.says("release", reconcile.ActRequest{Confirm: true}) })
	if marks := b.marks(); len(marks) != 1 {
		t.Errorf("who has nothing released it: the marks are %q", marks)
	}
	b.ends(reconcile.Unchanged)
	a.says("adopt", reconcile.ActRequest{Confirm: true})
	b.adopts()

	b.untouched(func() {
		text := b.says("release", reconcile.ActRequest{}).Text
		if !strings.Contains(text, "(state directory ID "+a.id()+") made of it is that one's again") {
			t.Errorf("release says beforehand %q", text)
		}
		b.says("release", reconcile.ActRequest{Confirm: true})
		b.ends(reconcile.Paused)
	})
	if marks := b.marks(); len(marks) != 0 {
		t.Errorf("the marks %q are left", marks)
	}
	a.untouched(func() { a.ends(reconcile.Unchanged) })
}

// A state directory is lost for ever: nobody is there to be told.
func TestNewStateDirectoryAdoptsWhatTheLostOneMade(t *testing.T) {
	t.Parallel()
	_, c := rivals(t)
	lost := c.beside()
	lost.deploy(shared)
	lost.ends(reconcile.Applied)
	was := lost.ids("web", "db")
	c.deploy(shared)
	c.untouched(func() { c.ends(reconcile.Blocked) })
	c.adopts()
	if c.ids("web", "db") != was {
		t.Error("something was restarted")
	}
	c.ends(reconcile.Unchanged)
	c.deploy(version(shared, "2"))
	c.ends(reconcile.Applied)
	c.ends(reconcile.Unchanged)
	c.deploy(version(shared, "3"))
	c.ends(reconcile.Applied)
	if res := c.says("rollback", reconcile.ActRequest{}).Result; res.Outcome != reconcile.RolledBack {
		t.Errorf("the rollback ended %s: %s", res.Outcome, res.Reason)
	}
	if got := env(c.one("web"), "APP_VERSION"); got != "2" {
		t.Errorf("version %s runs, want 2", got)
	}
}

func TestPrunedMarkLeavesItToTheLabels(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.deploy(shared)
	a.ends(reconcile.Applied)
	b.deploy(shared)
	b.adopts()
	for _, name := range b.marks() { // what docker volume prune does
		b.must(b.api.VolumeRemove(t.Context(), name, false))
	}
	b.untouched(func() {
		if res := b.ends(reconcile.Blocked); !strings.Contains(res.Reason, a.id()) {
			t.Errorf("the reason is %q", res.Reason)
		}
		a.ends(reconcile.Unchanged)
	})
	b.adopts()
	a.out(b)
}

// What Compose made names no agent: that one adopted it, another one can know
// from the mark only.
func TestAdoptedFromComposeHasOneWriter(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.composeUp(shared)
	a.deploy(shared)
	a.says("adopt", reconcile.ActRequest{Confirm: true}) // an old Compose's names are mended
	a.ends(reconcile.Unchanged)
	was := a.ids("web", "db")
	b.deploy(shared)
	b.untouched(func() {
		if res := b.ends(reconcile.Blocked); !strings.Contains(res.Reason, a.id()) {
			t.Errorf("the reason is %q, want that %s has it", res.Reason, a.id())
		}
	})
	b.adopts()
	if b.ids("web", "db") != was {
		t.Error("something was restarted")
	}
	a.out(b)
}

func TestRunningAgentLearnsAtOnceThatItsAppWasTakenOver(t *testing.T) {
	t.Parallel()
	a, b := rivals(t)
	a.deploy(shared)
	a.run(a.told)
	a.awaitOutcome(0, reconcile.Applied)
	b.deploy(shared)
	from := a.mark()
	b.adopts()
	if res := a.awaitOutcome(from, reconcile.Blocked); !strings.Contains(res.Reason, b.id()) {
		t.Errorf("the reason is %q", res.Reason)
	}
}

// What goes on running after a release goes on mounting the agent's files.
func TestReleasedAppKeepsItsFiles(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("page.txt", "one")
	h.write("site/index.html", "one")
	h.deploy(configured)
	h.want(h.sync(), reconcile.Applied)
	mounted := h.record().Good.Mounts
	h.act("release", reconcile.ActRequest{Confirm: true})
	if kept := h.record().Remains; len(mounted) == 0 || !slices.Equal(kept, mounted) {
		t.Errorf("mounted are %q, kept %q", mounted, kept)
	}
}
