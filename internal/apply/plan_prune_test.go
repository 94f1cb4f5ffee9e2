package apply_test

import (
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

func consented(r *apply.Request) { r.Consented = true }
func unpruned(r *apply.Request)  { r.Prune = false }

func TestPruneComesLast(t *testing.T) {
	planned{
		live: "network back bridge\nold v1 on=back\nweb v1", want: "web v2\nnew v1",
		plan: `
			1 put    container/new/1 missing
			2 await  container/new/1 healthy · after 1
			3 put    container/web/1 image: v1 -> v2
			4 await  container/web/1 healthy · after 3
			5 remove container/web/1 replaced · after 4
			6 put    container/web/1 resting name · after 5
			7 remove container/old/1 no longer wanted · after 2,5
			8 remove network/back    no longer wanted · after 7`,
		services: `
			new: new, 1 of 1 (missing)
			web: start-first, 1 of 1 (image: v1 -> v2)
			old: removed (no longer wanted)`,
	}.check(t)
}

func TestWithoutPruneNothingGoes(t *testing.T) {
	planned{live: "old v1\nweb v1\nvolume data local", want: "web v1", req: unpruned}.check(t)
}

func TestNeverAnEmptySet(t *testing.T) {
	planned{live: "web v1", want: "", plan: "consent: remove 1 of 1 services: web"}.check(t)
	planned{live: "web v1\nnetwork front bridge", want: "network front bridge", plan: "consent: remove 1 of 1 services: web"}.check(t)
	planned{live: "web v1", want: "", req: consented, plan: "1 remove container/web/1 no longer wanted"}.check(t)
}

func TestPruneStaysWithinItsBudget(t *testing.T) {
	live := "a v1\nb v1\nc v1\nd v1\nkept v1"
	planned{
		live: live, want: "kept v1\na v1",
		plan: `
			1 remove container/b/1 no longer wanted
			2 remove container/c/1 no longer wanted
			3 remove container/d/1 no longer wanted`,
	}.check(t)
	planned{live: live, want: "kept v1", plan: "consent: remove 4 of 5 services: a, b, c, d"}.check(t)
	planned{
		live: live, want: "kept v1", req: consented,
		plan: `
			1 remove container/a/1 no longer wanted
			2 remove container/b/1 no longer wanted
			3 remove container/c/1 no longer wanted
			4 remove container/d/1 no longer wanted`,
	}.check(t)
	planned{
		live: live + "\ne v1\nf v1\ng v1\nh v1", want: "kept v1\na v1\nb v1\nc v1\nd v1",
		plan: `
			1 remove container/e/1 no longer wanted
			2 remove container/f/1 no longer wanted
			3 remove container/g/1 no longer wanted
			4 remove container/h/1 no longer wanted`,
	}.check(t)
}

func TestVolumesNeedConsent(t *testing.T) {
	live, want := "volume data local\nnetwork back bridge\nweb v1", "web v1"
	asked := planned{
		live: live, want: want,
		plan: `
			1 remove network/back no longer wanted
			consent: remove volume/data with its data`,
	}.check(t)
	given := planned{
		live: live, want: want, req: consented,
		plan: `
			1 remove network/back no longer wanted
			2 remove volume/data  no longer wanted`,
	}.check(t)
	if asked.Digest() == given.Digest() || len(asked.Digest()) != 12 {
		t.Errorf("digests %s and %s", asked.Digest(), given.Digest())
	}
}

func TestConsentIsBoundToThePrintedPlan(t *testing.T) {
	one := planned{live: "volume data local\nweb v1", want: "web v1", plan: "consent: remove volume/data with its data"}
	same, other := one.check(t), planned{live: "volume more local\nweb v1", want: "web v1", plan: "consent: remove volume/more with its data"}.check(t)
	if one.check(t).Digest() != same.Digest() || same.Digest() == other.Digest() {
		t.Error("the digest does not tell plans apart")
	}
}

// Whether an unchanged container is awaited depends on how it feels just now:
// what a person read before must still be what they consent to.
func TestConsentOutlivesWhatIsOnlyAwaited(t *testing.T) {
	plan := planned{live: "volume data local\nweb v1", want: "web v1", plan: "consent: remove volume/data with its data"}.check(t)
	awaiting := plan
	awaiting.Steps = append([]apply.Step{{ID: 1, Verb: apply.Await}}, plan.Steps...)
	if plan.Digest() != awaiting.Digest() {
		t.Error("an await changed what is consented to")
	}
}

func TestConsentToRemoveEverythingNamesTheData(t *testing.T) {
	planned{
		live: "web v1\nvolume data local", want: "",
		plan: `
			consent: remove 1 of 1 services: web
			consent: remove volume/data with its data`,
	}.check(t)
}

func TestAWayBackNeitherAsksNorRemovesData(t *testing.T) {
	planned{
		live: "web v1\na v1\nb v1\nc v1\nd v1\nvolume data local", want: "web v1",
		req: func(r *apply.Request) { r.Back, r.Undo, r.AwaitAll = true, true, false },
		plan: `
			1 remove container/a/1 no longer wanted
			2 remove container/b/1 no longer wanted
			3 remove container/c/1 no longer wanted
			4 remove container/d/1 no longer wanted`,
	}.check(t)
}

// What ran before the attempt, and waits for a person's word or is kept on
// purpose, is not the attempt's to take along.
func TestAnUnaskedWayBackRemovesOnlyWhatTheAttemptMade(t *testing.T) {
	planned{
		live: "web v1\nkept v1\nmade v1", want: "web v1",
		req: func(r *apply.Request) {
			r.Back, r.Undo, r.AwaitAll = true, true, false
			r.Before = map[resource.Key]resource.Health{slot("web", 1): {State: resource.Well}, slot("kept", 1): {State: resource.Well}}
		},
		plan: `
			1 remove container/made/1 no longer wanted
			note: container/kept/1 stays: it was there before the attempt`,
	}.check(t)
}

func TestAWayBackThatAPersonAskedForKeepsTheBudget(t *testing.T) {
	planned{
		live: "web v1\na v1\nb v1\nc v1\nd v1", want: "web v1",
		req:  func(r *apply.Request) { r.Back, r.AwaitAll = true, false },
		plan: "consent: remove 4 of 5 services: a, b, c, d",
	}.check(t)
}
