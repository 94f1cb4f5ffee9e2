package apply_test

import (
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/resource"
)

func TestJobsRunOncePerInput(t *testing.T) {
	t.Run("not yet", func(t *testing.T) {
		planned{
			want: "migrate v1 job\nweb v1 needs=migrate:completed",
			plan: `
				1 put    container/migrate/1 missing
				2 await  container/migrate/1 completed · after 1
				3 put    container/web/1     missing · after 2
				4 await  container/web/1     healthy · after 3`,
			services: `
				migrate: runs once, 1 of 1 (missing)
				web: new, 1 of 1 (missing)`,
		}.check(t)
	})
	t.Run("done, its container gone", func(t *testing.T) {
		planned{
			want: "migrate v1 job\nweb v1 needs=migrate:completed", done: []string{"migrate"},
			plan: `
				1 put    container/web/1 missing
				2 await  container/web/1 healthy · after 1`,
		}.check(t)
	})
	t.Run("done, beside the failed run of another input", func(t *testing.T) {
		planned{live: "migrate v2 job health=exit:1", want: "migrate v1 job", done: []string{"migrate"}, req: awaitAll}.check(t)
	})
	t.Run("done, while something else runs in its place", func(t *testing.T) {
		planned{
			live: "migrate v0", want: "migrate v1 job\nweb v1", done: []string{"migrate"}, req: back,
			plan: `
				1 put    container/web/1     missing
				2 await  container/web/1     healthy · after 1
				3 remove container/migrate/1 no longer wanted · after 2`,
		}.check(t)
	})
	t.Run("ended while nobody looked", func(t *testing.T) {
		planned{
			live: "migrate v1 job", want: "migrate v1 job", req: awaitAll,
			plan: "1 await  container/migrate/1 completed",
		}.check(t)
	})
	t.Run("still running", func(t *testing.T) {
		planned{
			live: "migrate v1 job health=exit:0:1h\nbackup v1 demand", want: "migrate v1 job before=backup health=exit:0:1h\nbackup v1 demand", req: awaitAll,
			plan: `
				1 put    container/migrate/1 state: running -> exited 0
				2 await  container/migrate/1 completed · after 1`,
		}.check(t)
	})
	t.Run("another input", func(t *testing.T) {
		planned{
			live: "migrate v1 job", want: "migrate v2 job",
			plan: `
				1 put    container/migrate/1 image: v1 -> v2
				2 await  container/migrate/1 completed · after 1
				3 remove container/migrate/1 replaced · after 2`,
		}.check(t)
	})
	t.Run("another input, while the last one runs", func(t *testing.T) {
		planned{
			live: "migrate v1 job health=exit:0:1h", want: "migrate v2 job",
			plan: `
				1 stop   container/migrate/1 stop-first: its last run has not ended
				2 put    container/migrate/1 health: exit:0:1h -> (none), image: v1 -> v2, state: running -> exited 0 · after 1
				3 await  container/migrate/1 completed · after 2
				4 remove container/migrate/1 replaced · after 3`,
		}.check(t)
	})
}

func TestJobBefore(t *testing.T) {
	planned{
		live: "db v1\nbackup v1 demand needs=db:healthy\nmigrate v1 job",
		want: "db v1\nbackup v1 demand needs=db:healthy\nmigrate v2 job before=backup needs=db:healthy", req: awaitAll,
		plan: `
			1 await  container/db/1      healthy
			2 remove container/backup/1  its last run · after 1
			3 put    container/backup/1  before migrate · after 1,2
			4 await  container/backup/1  completed · after 3
			5 put    container/migrate/1 image: v1 -> v2 · after 4
			6 await  container/migrate/1 completed · after 5
			7 remove container/migrate/1 replaced · after 6`,
	}.check(t)
}

func TestAJobOnDemandRunsOnlyWhenAsked(t *testing.T) {
	planned{want: "backup v1 demand\nweb v1", live: "web v1", req: awaitAll, plan: "1 await  container/web/1 healthy"}.check(t)
}

func TestRollbackGoesInReverseOrderAndWaitsOnlyForPuts(t *testing.T) {
	planned{
		live: "db v2\napi v2 needs=db:healthy\nweb v2 needs=api:healthy", want: "db v1\napi v1 needs=db:healthy\nweb v1 needs=api:healthy", req: back,
		plan: `
			 1 put    container/web/1 image: v2 -> v1
			 2 await  container/web/1 healthy · after 1
			 3 remove container/web/1 replaced · after 2
			 4 put    container/web/1 resting name · after 3
			 5 put    container/api/1 image: v2 -> v1 · after 1
			 6 await  container/api/1 healthy · after 5
			 7 remove container/api/1 replaced · after 6
			 8 put    container/api/1 resting name · after 7
			 9 put    container/db/1  image: v2 -> v1 · after 5
			10 await  container/db/1  healthy · after 9
			11 remove container/db/1  replaced · after 10
			12 put    container/db/1  resting name · after 11`,
	}.check(t)
}

func TestRollbackMakesMissingGroupsFirst(t *testing.T) {
	planned{
		live: "web v2 needs=db:healthy", want: "cache v1\ndb v1 needs=cache:healthy\nweb v1 needs=db:healthy", req: back,
		plan: `
			1 put    container/cache/1 missing
			2 await  container/cache/1 healthy · after 1
			3 put    container/db/1    missing · after 2
			4 await  container/db/1    healthy · after 3
			5 put    container/web/1   image: v2 -> v1 · after 4
			6 await  container/web/1   healthy · after 5
			7 remove container/web/1   replaced · after 6
			8 put    container/web/1   resting name · after 7`,
	}.check(t)
}

func TestRollbackPutsANamespaceBeforeWhoSharesIt(t *testing.T) {
	planned{
		live: "vpn v2\napp v2 in=vpn", want: "vpn v1\napp v1 in=vpn", req: back,
		plan: `
			1 put    container/vpn/1 image: v2 -> v1
			2 await  container/vpn/1 healthy · after 1
			3 put    container/app/1 vpn is replaced, and its namespace with it; image: v2 -> v1 · after 1
			4 await  container/app/1 healthy · after 3
			5 remove container/app/1 replaced · after 4
			6 put    container/app/1 resting name · after 5
			7 remove container/vpn/1 replaced · after 2,4
			8 put    container/vpn/1 resting name · after 7`,
	}.check(t)
}

func TestRollbackRunsNoJobAndGoesByItsOwnPolicy(t *testing.T) {
	p := planned{
		live: "migrate v2 job\nweb*2 v2 needs=migrate:completed", want: "migrate v1 job\nweb*2 v1 needs=migrate:completed back=2", req: back,
		plan: `
			1 put    container/web/1 image: v2 -> v1
			2 await  container/web/1 healthy · after 1
			3 remove container/web/1 replaced · after 2
			4 put    container/web/1 resting name · after 3
			5 put    container/web/2 image: v2 -> v1
			6 await  container/web/2 healthy · after 5
			7 remove container/web/2 replaced · after 6
			8 put    container/web/2 resting name · after 7`,
	}.check(t)
	if p.Steps[0].Policy.Parallelism != 2 {
		t.Error("the steps go by another policy than the plan")
	}
}

func TestOnRollbackRun(t *testing.T) {
	planned{
		live: "db v2\nweb v2", want: "db v1\nundo v1 demand needs=db:healthy\nweb v1",
		req: func(r *apply.Request) { back(r); r.Run = []string{"undo", "nothing"} },
		plan: `
			1 put    container/undo/1 asked for by onRollback
			2 await  container/undo/1 completed · after 1
			3 put    container/web/1  image: v2 -> v1 · after 2
			4 await  container/web/1  healthy · after 3
			5 remove container/web/1  replaced · after 4
			6 put    container/web/1  resting name · after 5
			7 put    container/db/1   image: v2 -> v1 · after 2
			8 await  container/db/1   healthy · after 7
			9 remove container/db/1   replaced · after 8
			10 put    container/db/1   resting name · after 9`,
	}.check(t)
}

func TestOnRollbackRunNeedsItsDatabaseFirst(t *testing.T) {
	planned{
		live: "db v1\nweb v2", want: "db v1\nundo v1 demand needs=db:healthy\nweb v1",
		world: func(m *applytest.Memory) { m.Vanish(slot("db", 1)) },
		req:   func(r *apply.Request) { back(r); r.Run = []string{"undo"} },
		plan: `
			1 put    container/db/1   missing
			2 await  container/db/1   healthy · after 1
			3 put    container/undo/1 asked for by onRollback · after 2
			4 await  container/undo/1 completed · after 3
			5 put    container/web/1  image: v2 -> v1 · after 4
			6 await  container/web/1  healthy · after 5
			7 remove container/web/1  replaced · after 6
			8 put    container/web/1  resting name · after 7`,
	}.check(t)
}

func TestDeferredIsPlannedBehindWhatItNeeds(t *testing.T) {
	req := request(t, applytest.NewMemory(), set(t, "a v1\nb v1 needs=a:healthy"), nil)
	req.Pairs[1].Deferred = "behind a"
	req.Report.Findings[1].Class, req.Report.Findings[1].Reason = "deferred", "behind a"
	if got, want := unindent(plan(t, req).String()), unindent(`
		1 put    container/a/1 missing
		2 await  container/a/1 healthy · after 1
		3 put    container/b/1 behind a · after 2
		4 await  container/b/1 healthy · after 3`); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := resource.Sorted(set(t, "b v1\na v1"))[0].Group; got != "a" {
		t.Errorf("first %s", got)
	}
}
