package docker_test

import (
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply/asked"
	"syncd.io/syncd/internal/apply/docker"
)

func TestRequestsToTheEngineAreTold(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	var mu sync.Mutex
	told := map[string]int{}
	e, err := docker.Open(t.Context(), docker.Options{Asked: func(a asked.Request) {
		mu.Lock()
		defer mu.Unlock()
		told[a.Verb+" "+a.Outcome]++
		if a.Took <= 0 {
			t.Errorf("%s took %s", a.Verb, a.Took)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Facts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, here, err := e.Image(t.Context(), "syncdtest-nosuchimage"); here || err != nil {
		t.Fatalf("an image that nobody has: %v, %v", here, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if told["_ping ask ok"] != 1 || told["info ask ok"] != 1 || told["images inspect refused"] != 1 {
		t.Errorf("told were %v", told)
	}
	total := 0
	for _, n := range told {
		total += n
	}
	if calls := e.Calls(); int64(total) != calls {
		t.Errorf("%d requests were told of %d", total, calls)
	}
}
