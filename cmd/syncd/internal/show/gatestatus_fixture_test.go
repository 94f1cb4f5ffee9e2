package show_test

import (
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

func route(port string) resource.Key {
	return resource.Key{Kind: "route", Namespace: "web", Name: port}
}

// gateStatus is a gate in a switch, one of an older program that is closed, and one
// that says nothing.
func gateStatus() reconcile.Status {
	newest := apply.GateProgram{Version: "v1.3", Image: "syncd-gate:0123456789ab"}
	busy := apply.Gate{
		Route: route("8080"), Name: "shop-web-gate-8080", Published: "8080", Mode: "http", Program: newest, Newest: newest, Running: true, Answers: true,
		Listening: true, Address: "172.19.0.2:8080", Waiting: 3,
		Backends: []apply.GateBackend{
			{Slot: "web/1", State: gate.State{ID: "0123456789ab", InFlight: 2, Served: 1200}},
			{Slot: "web/1", State: gate.State{ID: "ba9876543210", Draining: true, InFlight: 1, Served: 40000, Failed: 1}},
			{State: gate.State{ID: "aaaaaaaaaaaa", Ejected: true, Failed: 7}},
		},
		Totals: gate.Totals{Accepted: 41203, Held: 12, Cut: 1},
	}
	old := apply.Gate{
		Route: route("127.0.0.1:9090"), Name: "shop-web-gate-127.0.0.1-9090", Published: "127.0.0.1:9090", Mode: "tcp", Running: true, Answers: true,
		Program: apply.GateProgram{Version: "v1.2", Image: "syncd-gate:ba9876543210"}, Newest: newest, Trouble: "open 172.19.0.3:8080: " + hostile,
		Totals: gate.Totals{Accepted: 1, Refused: 2, HeldTooLong: 3, HeldTooMany: 4, AcceptErrors: 5, Panics: 6},
	}
	mute := apply.Gate{
		Route: route("7070"), Name: "shop-web-gate-7070", Published: "7070", Mode: "tcp", Program: newest, Foreign: true,
		Trouble: "its container does not run", Backends: []apply.GateBackend{{Slot: "web/1", State: gate.State{ID: "0123456789ab"}}},
	}
	return reconcile.Status{Host: "berlin-1", Agent: true, Revision: first, Apps: []reconcile.AppStatus{{
		Name: "shop", Status: reconcile.Synced, Health: reconcile.Healthy, Good: first, Wanted: first, Gates: []apply.Gate{busy, old, mute},
	}}}
}
