package apply_test

import (
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

func TestClaimsDeriveStopFirstAndPrintWhy(t *testing.T) {
	for claim, reason := range map[string]string{
		"port=80":             "port 0.0.0.0:80/tcp",
		"port=127.0.0.1:80":   "port 127.0.0.1:80/tcp",
		"name=shop":           "name shop",
		"addr=front/10.0.0.5": "address front/10.0.0.5",
		"writes=data":         "writer data for web",
	} {
		t.Run(claim, func(t *testing.T) {
			planned{
				live: "web v1 " + claim, want: "web v2 order=start-first " + claim,
				plan: `
					1 stop   container/web/1 stop-first: ` + reason + `
					2 put    container/web/1 image: v1 -> v2 · after 1
					3 await  container/web/1 healthy · after 2
					4 remove container/web/1 replaced · after 3`,
				services: "web: stop-first, 1 of 1 (" + reason + ")",
			}.check(t)
		})
	}
}

func TestAChangedClaimIsNoReasonToStopFirst(t *testing.T) {
	planned{
		live: "web v1 port=80", want: "web v1b port=81",
		plan: `
			1 put    container/web/1 claim port: 80 -> 81, image: v1 -> v1b
			2 await  container/web/1 healthy · after 1
			3 remove container/web/1 replaced · after 2
			4 put    container/web/1 resting name · after 3`,
	}.check(t)
}

func TestRenamedServiceKeepsItsPortAndVolume(t *testing.T) {
	planned{
		live: "network front bridge\nvolume data local\nweb v1 port=80 writes=data on=front",
		want: "network front bridge\nvolume data local\nfrontend v1 port=80 writes=data on=front",
		plan: `
			1 stop   container/web/1      container/frontend/1 needs its port 0.0.0.0:80/tcp
			2 put    container/frontend/1 missing · after 1
			3 await  container/frontend/1 healthy · after 2
			4 remove container/web/1      no longer wanted · after 1,3`,
		services: `
			frontend: new, 1 of 1 (missing)
			web: removed (no longer wanted)`,
	}.check(t)
}

func TestTheHolderStopsOnlyWhenItsSuccessorIsDue(t *testing.T) {
	planned{
		live: "db v1\nold v1 port=80", want: "db v2\nnew v1 port=80 needs=db:healthy",
		plan: `
			1 put    container/db/1  image: v1 -> v2
			2 await  container/db/1  healthy · after 1
			3 remove container/db/1  replaced · after 2
			4 put    container/db/1  resting name · after 3
			5 stop   container/old/1 container/new/1 needs its port 0.0.0.0:80/tcp · after 2
			6 put    container/new/1 missing · after 5
			7 await  container/new/1 healthy · after 6
			8 remove container/old/1 no longer wanted · after 3,5,7`,
	}.check(t)
}

func TestPortMovesBetweenTwoServices(t *testing.T) {
	planned{
		live: "a v1 port=80\nb v1 port=81", want: "a v2 port=82\nb v2 port=80",
		plan: `
			1 stop   container/a/1 stop-first: port 0.0.0.0:80/tcp goes to container/b/1
			2 put    container/a/1 claim port: 80 -> 82, image: v1 -> v2 · after 1
			3 await  container/a/1 healthy · after 2
			4 remove container/a/1 replaced · after 3
			5 put    container/b/1 claim port: 81 -> 80, image: v1 -> v2 · after 1
			6 await  container/b/1 healthy · after 5
			7 remove container/b/1 replaced · after 6
			8 put    container/b/1 resting name · after 7`,
		services: `
			a: stop-first, 1 of 1 (port 0.0.0.0:80/tcp goes to container/b/1)
			b: start-first, 1 of 1 (claim port: 81 -> 80, image: v1 -> v2)`,
	}.check(t)
}

func TestTwoServicesSwapTheirPorts(t *testing.T) {
	planned{
		live: "a v1 port=80\nb v1 port=81", want: "a v2 port=81\nb v2 port=80",
		plan: `
			1 stop   container/a/1 stop-first: port 0.0.0.0:80/tcp goes to container/b/1
			2 stop   container/b/1 container/a/1 needs its port 0.0.0.0:81/tcp
			3 put    container/a/1 claim port: 80 -> 81, image: v1 -> v2 · after 1,2
			4 await  container/a/1 healthy · after 3
			5 remove container/a/1 replaced · after 4
			6 put    container/b/1 claim port: 81 -> 80, image: v1 -> v2 · after 1,2
			7 await  container/b/1 healthy · after 6
			8 remove container/b/1 replaced · after 7`,
	}.check(t)
}

func TestTwoSlotsOfOneClaimAreRefused(t *testing.T) {
	refused(t, "a v1 port=80\nb v1 port=80", "container/a/1 and container/b/1 both claim port 0.0.0.0:80/tcp")
	refused(t, "web*2 v1 name=shop", "container/web/1 and container/web/2 both claim name shop")
	refused(t, "a v1 addr=front/10.0.0.5\nb v1 addr=front/10.0.0.5", "container/a/1 and container/b/1 both claim address front/10.0.0.5")
}

func TestWildcardAddressesMeetAll(t *testing.T) {
	for _, c := range []struct {
		a, b string
		meet bool
	}{
		{"0.0.0.0:80/tcp", "127.0.0.1:80/tcp", true},
		{"[::]:80/tcp", "0.0.0.0:80/tcp", true},
		{":::80/tcp", "127.0.0.1:80/tcp", true},
		{":80/tcp", "[::1]:80/tcp", true},
		{"80/tcp", "10.0.0.1:80/tcp", true},
		{"[::1]:80/tcp", "::1:80/tcp", true},
		{"127.0.0.1:80/tcp", "127.0.0.2:80/tcp", false},
		{"0.0.0.0:80/tcp", "0.0.0.0:80/udp", false},
		{"0.0.0.0:80/tcp", "0.0.0.0:8080/tcp", false},
	} {
		objects := append(set(t, "a v1"), set(t, "b v1")...)
		for i, value := range []string{c.a, c.b} {
			objects[i].Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: value}}
		}
		_, err := apply.NewPlan(request(t, applytest.NewMemory(), objects, nil))
		if (err != nil) != c.meet {
			t.Errorf("%s and %s: %v", c.a, c.b, err)
		}
	}
}

func TestSidecarsThatShareAVolumeDoNotConflict(t *testing.T) {
	planned{
		live: "db v1 writes=data\nbackup v1 writes=data", want: "db v1 writes=data\nbackup v2 writes=data",
		plan: `
			1 stop   container/backup/1 stop-first: writer data for backup
			2 put    container/backup/1 image: v1 -> v2 · after 1
			3 await  container/backup/1 healthy · after 2
			4 remove container/backup/1 replaced · after 3`,
	}.check(t)
}

func TestTwoReplicasMayWriteOneVolume(t *testing.T) {
	planned{
		live: "web v1 writes=data", want: "web*2 v1 writes=data",
		plan: `
			1 put    container/web/2 missing
			2 await  container/web/2 healthy · after 1`,
	}.check(t)
}

func TestAStoppedInstanceHoldsNoClaim(t *testing.T) {
	planned{
		live: "web v1 port=80", want: "web v2 port=80", world: func(m *applytest.Memory) { m.Kill(slot("web", 1)) },
		plan: `
			1 put    container/web/1 image: v1 -> v2, state: stopped -> running
			2 await  container/web/1 healthy · after 1
			3 remove container/web/1 replaced · after 2`,
	}.check(t)
}

func TestForeignBlocks(t *testing.T) {
	plant := func(text string) func(*applytest.Memory) {
		return func(m *applytest.Memory) {
			for _, o := range set(t, text) {
				if _, err := m.Plant(o); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Run("in a slot of ours", func(t *testing.T) {
		p := planned{
			want: "web v1\nworker v1", world: plant("web v1"),
			plan: "blocked: container/web/1 is made by something else and never taken over",
		}.check(t)
		if !p.Empty() {
			t.Error("a blocked plan has steps")
		}
	})
	t.Run("holding what we need", func(t *testing.T) {
		planned{
			want: "web v1 port=80", world: plant("adminer v1 port=80"),
			plan: `
				blocked: container/web/1 needs port 0.0.0.0:80/tcp, which container/adminer/1 holds, and that is not ours to stop
				note: container/adminer/1 is left alone: made by something else and never taken over`,
		}.check(t)
	})
	t.Run("and counts as nothing that vanishes", func(t *testing.T) {
		planned{
			live: "web v1\nold v1", want: "web v1", world: plant("a v1\nb v1\nc v1\nd v1"),
			plan: `
				1 remove container/old/1 no longer wanted
				note: container/a/1 is left alone: made by something else and never taken over
				note: container/b/1 is left alone: made by something else and never taken over
				note: container/c/1 is left alone: made by something else and never taken over
				note: container/d/1 is left alone: made by something else and never taken over`,
		}.check(t)
	})
	t.Run("elsewhere it is left alone", func(t *testing.T) {
		p := planned{
			live: "web v1", want: "web v1", world: plant("adminer v1"),
			plan: "note: container/adminer/1 is left alone: made by something else and never taken over",
		}.check(t)
		if !p.Empty() {
			t.Error("something would be done to it")
		}
	})
}

func TestAdoptedIsOurs(t *testing.T) {
	m := applytest.NewMemory()
	ref, err := m.Plant(set(t, "web v1")[0])
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := m.Observe(t.Context(), set(t, "web v1"), apply.Owned{Adopted: []resource.Ref{ref}})
	if err != nil {
		t.Fatal(err)
	}
	if p := plan(t, apply.Request{Pairs: pairs, Report: drift.Compare(pairs, drift.Options{})}); p.String() != "" {
		t.Errorf("adopting costs\n%s", p)
	}
}
