package apply_test

import (
	"testing"

	"syncd.io/syncd/internal/apply/applytest"
)

func TestNetworkMadeAnew(t *testing.T) {
	planned{
		live: "network front bridge\ndb v1 on=front\nweb v1 on=front needs=db:healthy\nother v1\ngone v1 on=front",
		want: "network front overlay\ndb v1 on=front\nweb v1 on=front needs=db:healthy\nother v1",
		plan: `
			 1 stop   container/gone/1 network/front is made anew
			 2 stop   container/web/1  network/front is made anew
			 3 stop   container/db/1   network/front is made anew · after 2
			 4 remove network/front    driver: bridge -> overlay · after 1-3
			 5 put    network/front    made anew · after 4
			 6 put    container/db/1   network/front is made anew · after 5
			 7 await  container/db/1   healthy · after 6
			 8 remove container/db/1   replaced · after 7
			 9 put    container/web/1  network/front is made anew · after 7
			10 await  container/web/1  healthy · after 9
			11 remove container/web/1  replaced · after 10
			12 remove container/gone/1 no longer wanted · after 1,8,11`,
		services: `
			db: new, 1 of 1 (network/front is made anew)
			web: new, 1 of 1 (network/front is made anew)
			gone: removed (no longer wanted)`,
	}.check(t)
}

func TestTwoNetworksMadeAnewTakeASlotDownOnce(t *testing.T) {
	planned{
		live: "network a bridge\nnetwork b bridge\nweb v1 on=a on=b", want: "network a x\nnetwork b x\nweb v1 on=a on=b",
		plan: `
			1 stop   container/web/1 network/a is made anew
			2 remove network/a       driver: bridge -> x · after 1
			3 put    network/a       made anew · after 2
			4 remove network/b       driver: bridge -> x · after 1
			5 put    network/b       made anew · after 4
			6 put    container/web/1 network/a is made anew · after 3,5
			7 await  container/web/1 healthy · after 6
			8 remove container/web/1 replaced · after 7`,
	}.check(t)
}

func TestAJobThatIsDoneIsNotRunAgainForItsNetwork(t *testing.T) {
	planned{
		live: "network a bridge\nmigrate v1 job on=a", want: "network a x\nmigrate v1 job on=a", req: awaitAll, done: []string{"migrate"},
		plan: `
			1 remove network/a driver: bridge -> x
			2 put    network/a made anew · after 1`,
	}.check(t)
}

func TestNetworkMadeAnewReplacesWhoSharesANamespace(t *testing.T) {
	planned{
		live: "network a bridge\nvpn v1 on=a\napp v1 in=vpn", want: "network a x\nvpn v1 on=a\napp v1 in=vpn",
		plan: `
			 1 stop   container/vpn/1 network/a is made anew
			 2 remove network/a       driver: bridge -> x · after 1
			 3 put    network/a       made anew · after 2
			 4 put    container/vpn/1 network/a is made anew · after 3
			 5 await  container/vpn/1 healthy · after 4
			 6 put    container/app/1 vpn is replaced, and its namespace with it · after 4
			 7 await  container/app/1 healthy · after 6
			 8 remove container/app/1 replaced · after 7
			 9 put    container/app/1 resting name · after 8
			10 remove container/vpn/1 replaced · after 5,7`,
	}.check(t)
}

func TestNamespaceParentKeepsItsOldSideUntilDependentsAreReplaced(t *testing.T) {
	planned{
		live: "vpn v1\napp v1 in=vpn", want: "vpn v2\napp v1 in=vpn",
		plan: `
			1 put    container/vpn/1 image: v1 -> v2
			2 await  container/vpn/1 healthy · after 1
			3 put    container/app/1 vpn is replaced, and its namespace with it · after 1
			4 await  container/app/1 healthy · after 3
			5 remove container/app/1 replaced · after 4
			6 put    container/app/1 resting name · after 5
			7 remove container/vpn/1 replaced · after 2,4
			8 put    container/vpn/1 resting name · after 7`,
		services: `
			vpn: start-first, 1 of 1 (image: v1 -> v2)
			app: start-first, 1 of 1 (vpn is replaced, and its namespace with it)`,
	}.check(t)
}

func TestNamespaceParentStartedAgainRestartsItsDependents(t *testing.T) {
	planned{
		live: "vpn v1\napp v1 in=vpn", want: "vpn v1\napp v1 in=vpn",
		world: func(m *applytest.Memory) { m.Kill(slot("vpn", 1)) },
		plan: `
			1 put    container/vpn/1 state: stopped -> running
			2 await  container/vpn/1 healthy · after 1
			3 stop   container/app/1 vpn is started again · after 1
			4 put    container/app/1 vpn is started again · after 3
			5 await  container/app/1 healthy · after 4`,
	}.check(t)
}

func TestOnReplaceRestart(t *testing.T) {
	planned{
		live: "db v1\nweb*2 v1 needs=db:healthy!restart", want: "db v2\nweb*2 v1 needs=db:healthy!restart",
		plan: `
			 1 put    container/db/1  image: v1 -> v2
			 2 await  container/db/1  healthy · after 1
			 3 remove container/db/1  replaced · after 2
			 4 put    container/db/1  resting name · after 3
			 5 stop   container/web/1 db is replaced · after 2
			 6 put    container/web/1 db is replaced · after 5
			 7 await  container/web/1 healthy · after 6
			 8 stop   container/web/2 db is replaced · after 7
			 9 put    container/web/2 db is replaced · after 8
			10 await  container/web/2 healthy · after 9`,
		services: `
			db: start-first, 1 of 1 (image: v1 -> v2)
			web: restart, 2 of 2 (db is replaced)`,
	}.check(t)
}

func TestDivergedVolumeBlocks(t *testing.T) {
	planned{
		live: "volume data local", want: "volume data nfs\nweb v1",
		plan: "blocked: volume/data differs from what is live (driver: local -> nfs), and making it anew would make it empty",
	}.check(t)
}
