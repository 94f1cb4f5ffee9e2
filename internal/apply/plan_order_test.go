package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

func TestNothingDiffers(t *testing.T) {
	p := planned{live: "web*2 v1\nnetwork front bridge", want: "web*2 v1\nnetwork front bridge"}.check(t)
	if !p.Empty() {
		t.Error("the plan is not empty")
	}
}

func TestInSyncIsNotHealthy(t *testing.T) {
	p := planned{
		live: "db v1\nweb*2 v1 needs=db:healthy", want: "db v1\nweb*2 v1 needs=db:healthy", req: awaitAll,
		plan: `
			1 await  container/db/1  healthy
			2 await  container/web/1 healthy · after 1
			3 await  container/web/2 healthy · after 1`,
	}.check(t)
	if !p.Empty() || p.Touches(slot("web", 1)) {
		t.Error("awaits only look")
	}
}

func TestFirstDeployAllAtOnceBehindNeeds(t *testing.T) {
	planned{
		want: "network front bridge\nvolume data local\n" +
			"db v1 on=front\nmigrate v1 job needs=db:healthy\nweb*3 v1 on=front par=1 delay=10s needs=migrate:completed,cache:started\ncache v1",
		plan: `
			 1 put    network/front       missing
			 2 put    volume/data         missing
			 3 put    container/cache/1   missing · after 1,2
			 4 await  container/cache/1   healthy · after 3
			 5 put    container/db/1      missing · after 1,2
			 6 await  container/db/1      healthy · after 5
			 7 put    container/migrate/1 missing · after 6
			 8 await  container/migrate/1 completed · after 7
			 9 put    container/web/1     missing · after 3,8
			10 await  container/web/1     healthy · after 9
			11 put    container/web/2     missing · after 3,8
			12 await  container/web/2     healthy · after 11
			13 put    container/web/3     missing · after 3,8
			14 await  container/web/3     healthy · after 13`,
		services: `
			cache: new, 1 of 1 (missing)
			db: new, 1 of 1 (missing)
			migrate: runs once, 1 of 1 (missing)
			web: new, 3 of 3 (missing)`,
	}.check(t)
}

func TestStartFirst(t *testing.T) {
	planned{
		live: "web v1", want: "web v2",
		plan: `
			1 put    container/web/1 image: v1 -> v2
			2 await  container/web/1 healthy · after 1
			3 remove container/web/1 replaced · after 2
			4 put    container/web/1 resting name · after 3`,
		services: "web: start-first, 1 of 1 (image: v1 -> v2)",
	}.check(t)
}

func TestStopFirst(t *testing.T) {
	planned{
		live: "web v1 order=stop-first", want: "web v2 order=stop-first",
		plan: `
			1 stop   container/web/1 stop-first: asked for
			2 put    container/web/1 image: v1 -> v2 · after 1
			3 await  container/web/1 healthy · after 2
			4 remove container/web/1 replaced · after 3`,
		services: "web: stop-first, 1 of 1 (asked for)",
	}.check(t)
}

func TestStopFirstUndoOnlyStartsTheOldOneAgain(t *testing.T) {
	planned{
		live: "db v1 writes=data", want: "db v1 writes=data", req: back,
		world: func(m *applytest.Memory) {
			m.Kill(slot("db", 1))
			leave(t, m, "db v2 writes=data")
		},
		plan: `
			1 stop   container/db/1 stop-first: writer data for db
			2 put    container/db/1 name: db-1~i1 -> db-1, state: stopped -> running · after 1
			3 await  container/db/1 healthy · after 2
			4 remove container/db/1 replaced · after 3`,
	}.check(t)
}

func TestBatchesOfParallelismWithDelay(t *testing.T) {
	planned{
		live: "web*3 v1 par=2", want: "web*3 v2 par=2 delay=10s",
		plan: `
			 1 put    container/web/1 image: v1 -> v2
			 2 await  container/web/1 healthy · after 1
			 3 remove container/web/1 replaced · after 2
			 4 put    container/web/1 resting name · after 3
			 5 put    container/web/2 image: v1 -> v2
			 6 await  container/web/2 healthy · after 5
			 7 remove container/web/2 replaced · after 6
			 8 put    container/web/2 resting name · after 7
			 9 put    container/web/3 image: v1 -> v2 · after 3,7, pause 10s
			10 await  container/web/3 healthy · after 9
			11 remove container/web/3 replaced · after 10
			12 put    container/web/3 resting name · after 11`,
		services: "web: start-first, 3 of 3 (image: v1 -> v2)",
	}.check(t)
}

func TestThePauseComesBeforeTheGapNotInIt(t *testing.T) {
	planned{
		live: "web*2 v1 order=stop-first", want: "web*2 v2 order=stop-first delay=5s",
		plan: `
			1 stop   container/web/1 stop-first: asked for
			2 put    container/web/1 image: v1 -> v2 · after 1
			3 await  container/web/1 healthy · after 2
			4 remove container/web/1 replaced · after 3
			5 stop   container/web/2 stop-first: asked for · after 4, pause 5s
			6 put    container/web/2 image: v1 -> v2 · after 5
			7 await  container/web/2 healthy · after 6
			8 remove container/web/2 replaced · after 7`,
	}.check(t)
}

func TestWhatServesNobodyChangesFirst(t *testing.T) {
	planned{
		live: "web*3 v1 order=stop-first", want: "web*3 v2 order=stop-first",
		world: func(m *applytest.Memory) {
			m.Break(slot("web", 2), "unhealthy")
			m.Vanish(slot("web", 3))
		},
		plan: `
			 1 put    container/web/3 missing
			 2 await  container/web/3 healthy · after 1
			 3 stop   container/web/2 stop-first: asked for · after 2
			 4 put    container/web/2 image: v1 -> v2 · after 3
			 5 await  container/web/2 healthy · after 4
			 6 remove container/web/2 replaced · after 5
			 7 stop   container/web/1 stop-first: asked for · after 6
			 8 put    container/web/1 image: v1 -> v2 · after 7
			 9 await  container/web/1 healthy · after 8
			10 remove container/web/1 replaced · after 9`,
	}.check(t)
}

func TestScaleUp(t *testing.T) {
	planned{
		live: "web v1", want: "web*3 v1",
		plan: `
			1 put    container/web/2 missing
			2 await  container/web/2 healthy · after 1
			3 put    container/web/3 missing · after 2
			4 await  container/web/3 healthy · after 3`,
		services: "web: new, 2 of 3 (missing)",
	}.check(t)
}

func TestScaleDown(t *testing.T) {
	planned{
		live: "web*3 v1", want: "web v1",
		plan: `
			1 remove container/web/2 no longer wanted
			2 remove container/web/3 no longer wanted`,
		services: "web: in place, 2 of 1 (fewer instances are wanted)",
	}.check(t)
}

func TestMendInPlace(t *testing.T) {
	planned{
		live: "web v1", want: "web v1 limits=1g", world: func(m *applytest.Memory) { m.Rename(slot("web", 1), "oops") },
		plan: `
			1 put    container/web/1 limits: (none) -> 1g, name: oops -> web-1
			2 await  container/web/1 healthy · after 1`,
		services: "web: in place, 1 of 1 (limits: (none) -> 1g, name: oops -> web-1)",
	}.check(t)
}

func TestStoppedByHandIsStartedAgain(t *testing.T) {
	planned{
		live: "web v1 port=80", want: "web v1 port=80", world: func(m *applytest.Memory) { m.Kill(slot("web", 1)) },
		plan: `
			1 put    container/web/1 state: stopped -> running
			2 await  container/web/1 healthy · after 1`,
		services: "web: in place, 1 of 1 (state: stopped -> running)",
	}.check(t)
}

func TestHalfMadeLeftoversGo(t *testing.T) {
	planned{
		live: "web v1", want: "web v2",
		world: func(m *applytest.Memory) { leave(t, m, "web v2") },
		plan: `
			1 put    container/web/1 name: web-1~i2 -> web-1
			2 await  container/web/1 healthy · after 1
			3 remove container/web/1 one is enough · after 2
			4 put    container/web/1 resting name · after 3`,
	}.check(t)
}

func TestNeeds(t *testing.T) {
	t.Run("started waits for the put", func(t *testing.T) {
		planned{
			want: "a v1\nb v1 needs=a:started",
			plan: `
				1 put    container/a/1 missing
				2 await  container/a/1 healthy · after 1
				3 put    container/b/1 missing · after 1
				4 await  container/b/1 healthy · after 3`,
		}.check(t)
	})
	t.Run("healthy waits for the await", func(t *testing.T) {
		planned{
			want: "b v1\na v1 needs=b:healthy",
			plan: `
				1 put    container/b/1 missing
				2 await  container/b/1 healthy · after 1
				3 put    container/a/1 missing · after 2
				4 await  container/a/1 healthy · after 3`,
		}.check(t)
	})
	t.Run("not required must only have ended", func(t *testing.T) {
		planned{
			want: "a v1\nb v1 needs=a:healthy?,gone:started?",
			plan: `
				1 put    container/a/1 missing
				2 await  container/a/1 healthy · after 1
				3 put    container/b/1 missing · once ended 2
				4 await  container/b/1 healthy · after 3
				note: b needs gone, which is not there`,
		}.check(t)
	})
	t.Run("a circle is refused", func(t *testing.T) {
		refused(t, "a v1 needs=c:started\nb v1 needs=a:started\nc v1 needs=b:started", "services need each other in a circle: a -> c -> b -> a")
	})
}

func TestInnocentCommitsAreNotBlamed(t *testing.T) {
	p := planned{
		live: "web v1\nworker v1 health=never", want: "web v2\nworker v1 health=never", req: failing(slot("worker", 1), slot("web", 1)),
		plan: `
			1 put    container/web/1    image: v1 -> v2
			2 await  container/web/1    healthy · after 1
			3 remove container/web/1    replaced · after 2
			4 put    container/web/1    resting name · after 3
			5 await  container/worker/1 healthy, or not as before`,
	}.check(t)
	if p.Steps[1].Innocent || !p.Steps[4].Innocent {
		t.Error("who is touched is not innocent; who was failing and is not touched is")
	}
}

// What nobody knew to be well before cannot be this change's fault: one look
// cannot tell a container that nothing probes from one between two crashes.
func TestWhoIsInnocent(t *testing.T) {
	for _, c := range []struct {
		before   resource.Health
		innocent bool
	}{
		{resource.Health{State: resource.Failed}, true},
		{resource.Health{State: resource.Progressing}, true},
		{resource.Health{State: resource.Well, Check: apply.CheckRunning, Restarts: 3}, true},
		{resource.Health{State: resource.Well, Check: apply.CheckRunning}, false},
		{resource.Health{State: resource.Well, Check: "healthcheck", Restarts: 3}, false},
	} {
		p := planned{live: "web v1\nworker v1", want: "web v2\nworker v1", req: func(r *apply.Request) {
			r.AwaitAll, r.Before = true, map[resource.Key]resource.Health{slot("worker", 1): c.before}
		}}.made(t)
		at := slices.IndexFunc(p.Steps, func(s apply.Step) bool { return s.Verb == apply.Await && s.Key == slot("worker", 1) })
		if p.Steps[at].Innocent != c.innocent {
			t.Errorf("%+v: innocent %t", c.before, p.Steps[at].Innocent)
		}
	}
}

func TestRoutesHoldAndSwitch(t *testing.T) {
	t.Run("start-first", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v2\nroute web 80 tcp",
			plan: `
				1 put    container/web/1 image: v1 -> v2
				2 await  container/web/1 healthy · after 1
				3 put    route/web/80    container/web/1 in · after 2
				4 await  route/web/80    drained · after 3
				5 remove container/web/1 replaced · after 4
				6 put    container/web/1 resting name · after 5`,
		}.check(t)
	})
	t.Run("stop-first", func(t *testing.T) {
		planned{
			live: "web v1 writes=data\nroute web 80 tcp", want: "web v2 writes=data\nroute web 80 tcp",
			plan: `
				1 put    route/web/80    hold for container/web/1
				2 await  route/web/80    drained · after 1
				3 stop   container/web/1 stop-first: writer data for web · after 2
				4 put    container/web/1 image: v1 -> v2 · after 3
				5 await  container/web/1 healthy · after 4
				6 put    route/web/80    container/web/1 in · after 5
				7 await  route/web/80    drained · after 6
				8 remove container/web/1 replaced · after 7`,
		}.check(t)
	})
	t.Run("nobody serves any more", func(t *testing.T) {
		planned{
			live: "db v1\nweb*2 v1\nroute web 80 tcp", want: "db v2\nweb*2 v2 needs=db:healthy\nroute web 80 tcp",
			world: func(m *applytest.Memory) { m.Kill(slot("web", 1)); m.Kill(slot("web", 2)) },
			plan: `
				 1 put    container/db/1  image: v1 -> v2
				 2 await  container/db/1  healthy · after 1
				 3 remove container/db/1  replaced · after 2
				 4 put    container/db/1  resting name · after 3
				 5 put    route/web/80    hold for container/web/1
				 6 put    container/web/1 image: v1 -> v2, state: stopped -> running · after 2,5
				 7 await  container/web/1 healthy · after 6
				 8 put    route/web/80    container/web/1 in · after 7
				 9 await  route/web/80    drained · after 8
				10 remove container/web/1 replaced · after 9
				11 put    container/web/2 image: v1 -> v2, state: stopped -> running · after 2
				 12 await  container/web/2 healthy · after 11
				13 put    route/web/80    container/web/2 in · after 12
				14 await  route/web/80    drained · after 13
				15 remove container/web/2 replaced · after 14`,
		}.check(t)
	})
	t.Run("and the route's names need a new network", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "network side bridge\nweb v1\nroute web 80 http",
			world: func(m *applytest.Memory) { m.Kill(slot("web", 1)) },
			plan: `
				1 put    network/side    missing
				2 put    route/web/80    hold for container/web/1 · after 1
				3 put    container/web/1 state: stopped -> running · after 1,2
				4 await  container/web/1 healthy · after 3
				5 put    route/web/80    container/web/1 in · after 4
				6 await  route/web/80    drained · after 5`,
		}.check(t)
	})
	t.Run("before it goes down with a network, it joins what is new", func(t *testing.T) {
		planned{
			live: "network front bridge\nweb v1 on=front\nroute web 80 tcp", want: "network front overlay\nnetwork side bridge\nweb v1 on=front\nroute web 80 tcp",
			plan: `
				 1 put    network/side    missing
				 2 put    route/web/80    network/front is made anew · after 1
				 3 await  route/web/80    drained · after 2
				 4 stop   container/web/1 network/front is made anew · after 3
				 5 remove network/front   driver: bridge -> overlay · after 4
				 6 put    network/front   made anew · after 5
				 7 put    container/web/1 network/front is made anew · after 1,6
				 8 await  container/web/1 healthy · after 7
				 9 put    route/web/80    container/web/1 in · after 8
				10 await  route/web/80    drained · after 9
				11 remove container/web/1 replaced · after 10`,
		}.check(t)
	})
	t.Run("a scale-up joins", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web*2 v1\nroute web 80 tcp",
			plan: `
				1 put    container/web/2 missing
				2 await  container/web/2 healthy · after 1
				3 put    route/web/80    container/web/2 in · after 2
				4 await  route/web/80    drained · after 3`,
		}.check(t)
	})
	t.Run("a scale-down leaves", func(t *testing.T) {
		planned{
			live: "web*2 v1\nroute web 80 tcp", want: "web v1\nroute web 80 tcp",
			plan: `
				1 put    route/web/80    container/web/2 out
				2 await  route/web/80    drained · after 1
				3 remove container/web/2 no longer wanted · after 2`,
		}.check(t)
	})
	t.Run("a route takes a port over", func(t *testing.T) {
		planned{
			live: "web v1 port=80", want: "web v1\nroute web 80 tcp",
			plan: `
				1 put    container/web/1 claim port: 80 -> (none)
				2 await  container/web/1 healthy · after 1
				3 stop   container/web/1 route/web/80 takes its port 0.0.0.0:80/tcp over · after 2
				4 put    route/web/80    container/web/1 in · after 2,3
				5 await  route/web/80    drained · after 4
				6 remove container/web/1 replaced · after 5
				7 put    container/web/1 resting name · after 6`,
		}.check(t)
	})
	t.Run("and holds it for a single writer", func(t *testing.T) {
		planned{
			live: "web v1 port=80 writes=data", want: "web v1 writes=data\nroute web 80 tcp",
			plan: `
				1 stop   container/web/1 stop-first: writer data for web
				2 put    route/web/80    hold for container/web/1 · after 1
				3 put    container/web/1 claim port: 80 -> (none) · after 2
				4 await  container/web/1 healthy · after 3
				5 put    route/web/80    container/web/1 in · after 2,4
				6 await  route/web/80    drained · after 5
				7 remove container/web/1 replaced · after 6`,
		}.check(t)
	})
	t.Run("a route takes another port over", func(t *testing.T) {
		planned{
			live: "web v1 port=81\nroute web 80 tcp", want: "web v1\nroute web 80 tcp\nroute web 81 tcp",
			plan: `
				1 put    container/web/1 claim port: 81 -> (none)
				2 await  container/web/1 healthy · after 1
				3 put    route/web/80    container/web/1 in · after 2
				4 await  route/web/80    drained · after 3
				5 stop   container/web/1 route/web/81 takes its port 0.0.0.0:81/tcp over · after 2,4
				6 put    route/web/81    container/web/1 in · after 2,4,5
				7 await  route/web/81    drained · after 6
				8 remove container/web/1 replaced · after 4,7
				9 put    container/web/1 resting name · after 8`,
		}.check(t)
	})
	t.Run("a route takes a port over from another service, which its own route serves", func(t *testing.T) {
		planned{
			live: "old v1 port=81\nroute old 80 tcp\nweb v1", want: "old v1\nroute old 80 tcp\nweb v1\nroute web 81 tcp",
			plan: `
				1 put    container/old/1 claim port: 81 -> (none)
				2 await  container/old/1 healthy · after 1
				3 put    route/old/80    container/old/1 in · after 2
				4 await  route/old/80    drained · after 3
				5 remove container/old/1 replaced · after 4
				6 put    container/old/1 resting name · after 5
				7 stop   container/old/1 route/web/81 takes its port 0.0.0.0:81/tcp over · after 4
				8 put    route/web/81    missing · after 7
				9 await  route/web/81    healthy · after 8`,
		}.check(t)
	})
	t.Run("a route gives its port back", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v1 port=80",
			plan: `
				1 stop   route/web/80    container/web/1 needs its port 0.0.0.0:80/tcp
				2 put    container/web/1 claim port: (none) -> 80 · after 1
				3 await  container/web/1 healthy · after 2
				4 remove container/web/1 replaced · after 1,3
				5 put    container/web/1 resting name · after 4
				6 remove route/web/80    no longer wanted · after 1,4`,
		}.check(t)
	})
	t.Run("one gate is enough", func(t *testing.T) { // whoever renewed it was killed
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v1\nroute web 80 tcp", world: beside,
			plan: `
				1 put    route/web/80 2 instances where one is wanted
				2 await  route/web/80 healthy · after 1
				3 remove route/web/80 one is enough · after 1,2`,
		}.check(t)
	})
	t.Run("also where none of them runs", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v1\nroute web 80 tcp", world: func(m *applytest.Memory) {
				beside(m)
				m.Kill(resource.Key{Kind: "route", Namespace: "web", Name: "80"})
			},
			plan: `
				1 put    route/web/80 state: stopped -> running
				2 await  route/web/80 healthy · after 1
				3 remove route/web/80 one is enough · after 1,2`,
		}.check(t)
	})
	t.Run("also while its slots change", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v2\nroute web 80 tcp", world: beside,
			plan: `
				1 put    container/web/1 image: v1 -> v2
				2 await  container/web/1 healthy · after 1
				3 put    route/web/80    container/web/1 in · after 2
				4 await  route/web/80    drained · after 3
				5 remove container/web/1 replaced · after 4
				6 put    container/web/1 resting name · after 5
				7 remove route/web/80    one is enough · after 3`,
		}.check(t)
	})
	t.Run("nobody comes from a slot that is left empty", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web*2 v1\nroute web 80 http", req: func(r *apply.Request) {
				r.Report.Findings[slices.IndexFunc(r.Pairs, func(p resource.Pair) bool { return p.Key == slot("web", 2) })].Class = drift.InSync
			},
			plan: `
				1 put    route/web/80 mode: tcp -> http
				2 await  route/web/80 healthy · after 1`,
		}.check(t)
	})
	t.Run("a route alone", func(t *testing.T) {
		planned{
			live: "web v1\nroute web 80 tcp", want: "web v1\nroute web 80 http",
			plan: `
				1 put    route/web/80 mode: tcp -> http
				2 await  route/web/80 healthy · after 1`,
		}.check(t)
	})
}

// beside leaves a second gate at the route, which does not run.
func beside(m *applytest.Memory) {
	route := resource.Key{Kind: "route", Namespace: "web", Name: "80"}
	o := resource.Object{Key: route, Group: "web", Spec: []byte(`{"mode":"tcp"}`)}
	ref, err := m.Leave(o)
	if err == nil {
		err = m.Stop(context.Background(), route, ref)
	}
	if err != nil {
		panic(err)
	}
}

func TestNewConnectionsWaitForAsLongAsTheNextOneMayTake(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		for name, c := range map[string]struct {
			live, want string
			wait       time.Duration
		}{
			"its own time": {"web v1 writes=data\nroute web 80 tcp", "web v2 writes=data ready=3m monitor=20s\nroute web 80 tcp", 200 * time.Second},
			"the usual":    {"web v1 writes=data\nroute web 80 tcp", "web v2 writes=data\nroute web 80 tcp", time.Minute},
			"taken over":   {"web v1 port=80 writes=data", "web v1 writes=data ready=3m\nroute web 80 tcp", 3 * time.Minute},
		} {
			d := change{live: c.live, want: c.want}.run(ctx, t)
			holds := 0
			for _, s := range d.plan.Steps {
				if s.Traffic != nil && s.Traffic.Hold {
					holds++
					if s.Traffic.Wait.D() != c.wait {
						t.Errorf("%s: step %d waits %s, want %s", name, s.ID, s.Traffic.Wait, c.wait)
					}
				}
			}
			if holds == 0 {
				t.Errorf("%s: nothing holds", name)
			}
		}
	})
}

// A wave comes behind all waves before it, also when nothing changes in between.
func TestAnOrderThatIsAlwaysKeptReachesOverWhatDoesNotChange(t *testing.T) {
	const set = "migrate %s job\nconfig v1 needs=migrate:healthy!always\nweb %s needs=config:started!always"
	planned{
		live: fmt.Sprintf(set, "v1", "v1"), want: fmt.Sprintf(set, "v2", "v2"), req: awaitAll,
		plan: `
			1 put    container/migrate/1 image: v1 -> v2
			2 await  container/migrate/1 completed · after 1
			3 remove container/migrate/1 replaced · after 2
			4 await  container/config/1  healthy · after 2
			5 put    container/web/1     image: v1 -> v2 · after 2
			6 await  container/web/1     healthy · after 5
			7 remove container/web/1     replaced · after 6
			8 put    container/web/1     resting name · after 7`,
	}.check(t)
}

func TestAnOrderThatIsAlwaysKeptReachesOverAJobThatAWayBackLeavesOut(t *testing.T) {
	const set = "db %s\nmigrate v1 job needs=db:healthy!always\nweb %s needs=migrate:healthy!always"
	planned{
		live: fmt.Sprintf(set, "v2", "v2"), want: fmt.Sprintf(set, "v1", "v1"), req: func(r *apply.Request) { r.Back = true },
		plan: `
			1 put    container/db/1  image: v2 -> v1
			2 await  container/db/1  healthy · after 1
			3 remove container/db/1  replaced · after 2
			4 put    container/db/1  resting name · after 3
			5 put    container/web/1 image: v2 -> v1 · after 2
			6 await  container/web/1 healthy · after 5
			7 remove container/web/1 replaced · after 6
			8 put    container/web/1 resting name · after 7`,
	}.check(t)
}
