package endtoend_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/state"
)

// How long the soak lasts, and which one it is: 10m of it is what `make soak` asks for.
const (
	soakTime = "SYNCDTEST_SOAK"
	soakSeed = "SYNCDTEST_SOAK_SEED"
)

// tried is one of a few apps that somebody plays tricks on.
const tried = `
services:
  a: &one
    image: IMAGE
    restart: unless-stopped
    mem_limit: 64m
    networks: [default, back]
  b: *one
  c: *one
  slow: # until it has ended, the engine that ends answers
    image: IMAGE
    restart: unless-stopped
    stop_grace_period: 1s
    environment: {APP_IGNORE_TERM: "1"}
networks: {back: {}}
`

// trick is something that somebody did by hand to a service of an app.
type trick struct {
	app, service, kind string
	// finds is how it begins to be told, passes what else may be seen of it, or nothing
	// else.
	finds, passes string
	// fleeting tells that a restart of the engine undoes it.
	fleeting bool
	// doubtful is one that nobody need have seen, before is what was told of such ones
	// when it was played.
	doubtful bool
	before   int
}

// tricks are their kinds; what is drawn makes one different from all others.
func tricks() map[string]func(ctx context.Context, h *host, t *trick, id string, drawn int) error {
	update := func(ctx context.Context, h *host, id string, u container.UpdateConfig) error {
		_, err := h.api.ContainerUpdate(ctx, id, u)
		return err
	}
	return map[string]func(ctx context.Context, h *host, t *trick, id string, drawn int) error{
		"memory": func(ctx context.Context, h *host, t *trick, id string, drawn int) error {
			bytes := int64(65+drawn) << 20
			t.finds = fmt.Sprintf("resources.memory: %d -> 67108864", bytes)
			return update(ctx, h, id, container.UpdateConfig{Resources: container.Resources{Memory: bytes, MemorySwap: 2 * bytes}})
		},
		"restart": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds = "restart.name: always -> unless-stopped"
			return update(ctx, h, id, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}})
		},
		"disconnect": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds = "networks[back].name: (none) -> " + t.app + "_back"
			t.passes = "networks[back]."
			return h.api.NetworkDisconnect(ctx, t.app+"_back", id, true)
		},
		"stop": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds = "state: exited -> running"
			return h.api.ContainerStop(ctx, id, container.StopOptions{})
		},
		"kill": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds = "state: exited -> running"
			return h.api.ContainerKill(ctx, id, "KILL")
		},
		"pause": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds, t.fleeting = "state: paused -> running", true
			return h.api.ContainerPause(ctx, id)
		},
		"rename": func(ctx context.Context, h *host, t *trick, id string, drawn int) error {
			mine := fmt.Sprintf("%s-mine-%d", t.app, drawn)
			t.finds = fmt.Sprintf("name: %s -> %s-%s-1", mine, t.app, t.service)
			return h.api.ContainerRename(ctx, id, mine)
		},
		"rm": func(ctx context.Context, h *host, t *trick, id string, _ int) error {
			t.finds, t.passes = "missing", "state: exited -> running"
			return h.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
		},
	}
}

// soak is a host on which somebody plays tricks, while agent and engine are restarted.
type soak struct {
	*listener
	engine *private
	chance *rand.Rand
	apps   []string
	made   []*trick
	drawn  int
	// last are the tricks of each service that are not over yet, times when each field
	// was changed: three times within ten minutes would be a fight.
	last  map[string]*trick
	times map[string][]time.Time
	// restarts are how often each was restarted.
	restarts map[string]int
}

// Some drift is made by chance; by chance the agent is killed, and the engine stopped, and
// both are started again: each drift is on record once, and told once, and nothing is that
// nobody made.
func TestDriftIsToldOnceWhateverRestarts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv(soakTime), "10s"))
	if err != nil {
		t.Fatal(err)
	}
	apps := 2
	if lasts > time.Minute { // else most of the time would go by before they run
		apps = 4
	}
	s := newSoak(t, apps)
	s.listen()
	s.start()
	dockertest.Eventually(t, "all apps run", func() bool { return s.heard("applied") == len(s.apps) })
	for until := time.Now().Add(lasts); time.Now().Before(until); {
		switch s.chance.IntN(12) {
		case 0:
			s.restartAgent()
		case 1:
			s.restartEngine()
		default:
			s.play()
		}
		<-time.After(time.Duration(s.chance.IntN(700)) * time.Millisecond)
	}
	s.restartAgent() // however short it was
	s.play()
	s.restartEngine()
	s.play()
	s.settle()
	t.Logf("%d drifts; restarts: %v", len(s.made), s.restarts)
	for _, app := range s.apps {
		s.judge(app)
	}
	s.judgeMessages()
	if t.Failed() {
		for _, trick := range s.made {
			t.Logf("%+v", *trick)
		}
		t.Log(s.p.log.String())
	}
}

func newSoak(t *testing.T, apps int) *soak {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(soakSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", soakSeed, seed)
	p := newPrivate(t)
	h := p.host(t)
	s := &soak{engine: p, chance: rand.New(rand.NewPCG(seed, 0)), last: map[string]*trick{}, times: map[string][]time.Time{}, restarts: map[string]int{}}
	for n := range apps {
		app := h.project + string(rune('a'+n))
		h.place(filepath.Join(app, ".syncd.yaml"), "rollout: {soak: 200ms, timeout: 60s}\n")
		h.place(filepath.Join(app, "compose.yaml"), tried)
		s.apps = append(s.apps, app)
	}
	h.must(os.RemoveAll(filepath.Join(h.repo, h.project)))
	h.merge("some apps")
	s.listener = listenerOn(t, h)
	return s
}

// heard is how often an event was told.
func (s *soak) heard(event string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.list {
		if e == event {
			n++
		}
	}
	return n
}

// play plays a trick on a service that is at rest, where there is one.
func (s *soak) play() {
	s.t.Helper()
	s.rest()
	kinds := tricks()
	t := &trick{
		app: s.apps[s.chance.IntN(len(s.apps))], service: string(rune('a' + s.chance.IntN(3))),
		kind: slices.Sorted(maps.Keys(kinds))[s.chance.IntN(len(kinds))],
	}
	s.drawn++
	at, field := t.app+"/"+t.service, t.app+"/"+t.service+"/"+t.field()
	s.times[field] = slices.DeleteFunc(s.times[field], func(at time.Time) bool { return time.Since(at) > 11*time.Minute })
	if s.last[at] != nil || len(s.times[field]) >= 2 {
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), dockertest.Limit)
	defer cancel()
	id := fmt.Sprintf("%s-%s-1", t.app, t.service)
	if err := kinds[t.kind](ctx, s.host, t, id, s.drawn); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", t.kind, id, err, s.p.log.String())
	}
	t.before = s.over(t)
	s.last[at], s.times[field] = t, append(s.times[field], time.Now())
	s.made = append(s.made, t)
}

// field names what it changes, as a repair does.
func (t *trick) field() string {
	switch t.kind {
	case "stop", "kill", "pause":
		return "state"
	}
	return t.kind
}

// slot is where it was played.
func (t *trick) slot() string { return "container/" + t.service + "/1 " }

// told tells whether a line is about it.
func (t *trick) told(line string) bool {
	what, here := strings.CutPrefix(line, t.slot())
	return here && (strings.HasPrefix(what, t.finds) || t.passes != "" && strings.HasPrefix(what, t.passes))
}

// over tells how many lines about such a trick stand in incidents that people know to be
// over.
func (s *soak) over(t *trick) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := map[string]bool{}
	for _, f := range s.facts {
		ended[f.Incident] = ended[f.Incident] || f.Event == "drift-resolved"
	}
	for _, f := range s.facts {
		if f.App != t.app || f.Event == "drift-resolved" || !ended[f.Incident] {
			continue
		}
		for _, line := range f.Findings {
			if t.told(line) {
				n++
			}
		}
	}
	return n
}

// rest forgets the tricks that are over, and tells whether all are.
func (s *soak) rest() bool {
	for at, t := range s.last {
		if s.over(t) > t.before {
			delete(s.last, at)
		}
	}
	return len(s.last) == 0
}

func (s *soak) restartAgent() {
	s.t.Helper()
	s.restarts["agent killed"]++
	s.kill()
	<-time.After(time.Duration(s.chance.IntN(1000)) * time.Millisecond)
	s.start()
}

// restartEngine stops the engine, and starts it again. What that undoes before anybody
// has seen it may be told, or not.
func (s *soak) restartEngine() {
	s.t.Helper()
	s.restarts["engine stopped"]++
	s.engine.stop()
	alone := s.chance.IntN(3) == 0 // it comes back before the agent does
	if alone {
		s.restarts["agent killed"]++
		s.kill()
	}
	<-time.After(time.Duration(s.chance.IntN(1000)) * time.Millisecond)
	s.engine.start()
	if alone {
		s.start()
	}
	for at, t := range s.last {
		if t.fleeting {
			t.doubtful = true
			delete(s.last, at)
		}
	}
}

// settle waits until all is told that there is to tell.
func (s *soak) settle() {
	s.t.Helper()
	defer func() {
		if s.t.Failed() {
			for _, t := range s.last {
				s.t.Logf("not told, or not over: %+v", *t)
			}
			s.t.Log(s.p.log.String())
		}
	}()
	dockertest.Eventually(s.t, "all drift is over", s.rest)
	dockertest.Eventually(s.t, "all that is on record is told", func() bool {
		ends := 0
		for _, app := range s.apps {
			for _, e := range s.history(app) {
				if e.Outcome == "resolved" {
					ends++
				}
			}
		}
		return s.heard("drift-resolved") >= ends
	})
}

// history are the lines about an app's drift, the oldest first.
func (s *soak) history(app string) []state.Entry {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), agentProgram(s.t), "history", app, "--config", s.config, "--limit", "100000", "-o", "json").Output()
	if err != nil {
		s.t.Fatalf("syncd history: %v", err)
	}
	var all []state.Entry
	s.must(json.Unmarshal(out, &all))
	all = slices.DeleteFunc(all, func(e state.Entry) bool { return e.Kind != "drift" })
	slices.SortFunc(all, func(a, b state.Entry) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// judge fails the test unless each trick on an app is on record once, and nothing else.
func (s *soak) judge(app string) {
	s.t.Helper()
	told := map[string]int{} // by line, without values that are told besides
	ends := map[string]string{}
	for _, e := range s.history(app) {
		ends[e.Incident] += e.Outcome + " "
		if e.Outcome == "resolved" {
			continue
		}
		for _, line := range e.Findings {
			i := slices.IndexFunc(s.made, func(t *trick) bool { return t.app == app && t.told(line) })
			if i < 0 {
				s.t.Errorf("%s tells %q, which nobody did: %+v", e.Incident, line, e)
			}
			told[line]++
		}
	}
	for id, lines := range ends {
		if !strings.HasPrefix(lines, "opened ") || !strings.HasSuffix(lines, "resolved ") || strings.Count(lines, "opened") != 1 || strings.Count(lines, "resolved") != 1 || strings.Contains(lines, "fight") {
			s.t.Errorf("%s is on record as %s", id, lines)
		}
	}
	for _, t := range s.made {
		if t.app == app {
			s.counts(told, t)
		}
	}
}

// counts fails the test unless such tricks are told as often as they were played.
func (s *soak) counts(told map[string]int, t *trick) {
	s.t.Helper()
	least, most, got := 0, 0, told[t.slot()+t.finds]
	for _, o := range s.made {
		switch {
		case o.app != t.app || o.service != t.service:
		case o.finds == t.finds && (o.doubtful || o.passes != "" && !strings.HasPrefix(o.finds, o.passes)):
			most++
		case o.finds == t.finds:
			least++
			most++
		case o.passes == t.finds:
			most++
		}
	}
	if got < least || got > most {
		s.t.Errorf("%s %s%s was made %d to %d times, and is told %d times", t.app, t.slot(), t.finds, least, most, got)
	}
}

// judgeMessages fails the test unless people were told of each incident's begin and end
// once, and of nothing that was not.
func (s *soak) judgeMessages() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	once := map[string]int{}
	for _, f := range s.facts {
		once[f.Event+" "+f.Incident]++
		switch f.Event {
		case "drift-opened", "drift-resolved":
			if n := once[f.Event+" "+f.Incident]; n > 1 {
				s.t.Errorf("%s of %s is told %d times", f.Event, f.Incident, n)
			}
		case "drift-changed", "applied":
		default:
			s.t.Errorf("told is %+v", f)
		}
	}
	for key := range once {
		if id, begins := strings.CutPrefix(key, "drift-opened "); begins && once["drift-resolved "+id] != 1 {
			s.t.Errorf("the end of %s is not told", id)
		}
	}
	if s.bad != "" || once["applied "] != len(s.apps) {
		s.t.Errorf("%d apps were applied, a request is wrong: %s", once["applied "], s.bad)
	}
}
