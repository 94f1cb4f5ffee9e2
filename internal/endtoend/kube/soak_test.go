package kube_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/state"
)

// What a soak is about, and how long.
const (
	// soakEnv is for how long drift is made, such as 10m; soakSeedEnv begins it otherwise.
	soakEnv, soakSeedEnv = "SYNCDTEST_SOAK", "SYNCDTEST_SOAK_SEED"
	soakApps             = 3
	soakMaps             = 6  // of each app
	soakFields           = 10 // of each map
	// soakOften is how often one thing is done within soakWhile: three repairs in ten
	// minutes are a fight.
	soakOften, soakWhile = 2, 11 * time.Minute
)

// soak is an app's worth of drift, made by chance and known by name.
type soak struct {
	*crew
	on     *fallible
	chance *rand.Rand
	hears  *hearer
	begun  time.Time
	// lines are what the record has to say of an app, by how often; done is what was done
	// to an object, and when; busy are the objects that are not as they should be.
	lines map[string]map[string]int
	done  map[string][]time.Time
	busy  map[string]bool
	// left are the changes by hand of what nobody repairs.
	left    map[string]string
	entries map[uint64]state.Entry
	count   map[string]int
}

// soaking makes the place: two apps that are repaired, and one that is not.
func soaking(t *testing.T, seed uint64) *soak {
	f := newFallible(t)
	s := &soak{
		on: f, chance: rand.New(rand.NewPCG(seed, 7)), hears: &hearer{moods: rand.New(rand.NewPCG(seed, 8))}, begun: time.Now(),
		lines: map[string]map[string]int{}, done: map[string][]time.Time{}, busy: map[string]bool{}, left: map[string]string{}, entries: map[uint64]state.Entry{}, count: map[string]int{},
	}
	t.Cleanup(func() {
		for app := range s.lines {
			for _, line := range s.missed(app) {
				t.Errorf("the record does not say %s: %s", app, line)
			}
		}
	})
	s.crew = newCrew(f.place, s.hears.listen(t), "disk", 1)
	f.must(os.RemoveAll(f.repo + "/" + shop))
	for app := range soakApps {
		heal := "{}"
		if app == soakApps-1 {
			heal = "{selfHeal: false}"
		}
		f.settingsOf(soakApp(app), "rollout: {soak: 0s, timeout: 60s}\nsync: "+heal+"\n")
		var all []string
		for i := range soakMaps {
			all = append(all, soakMap(app, i))
		}
		f.place.place(soakApp(app)+"/manifests.yaml", strings.Join(all, "\n---\n"))
		s.lines[soakApp(app)] = map[string]int{}
	}
	f.merge("begin")
	return s
}

func soakApp(app int) string { return fmt.Sprintf("app-%d", app) }

func soakName(app, i int) string { return fmt.Sprintf("map-%d-%d", app, i) }

func soakMap(app, i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n", soakName(app, i))
	for n := range soakFields {
		fmt.Fprintf(&b, "  f%d: as-git-says\n", n)
	}
	return b.String()
}

// heals tells whether the app is repaired.
func heals(app int) bool { return app < soakApps-1 }

// may tells whether this may be done once more, and notes that it is.
func (s *soak) may(what string) bool {
	recent := slices.DeleteFunc(s.done[what], func(at time.Time) bool { return time.Since(at) > soakWhile })
	if len(recent) >= soakOften {
		return false
	}
	s.done[what] = append(recent, time.Now())
	return true
}

// drift does something to an object that is well, as a person would: each thing has its
// line.
func (s *soak) drift() {
	app, i := s.chance.IntN(soakApps), s.chance.IntN(soakMaps)
	name, key := soakName(app, i), fmt.Sprintf("ConfigMap/%s/%s", s.namespace, soakName(app, i))
	if s.busy[name] {
		return
	}
	field := fmt.Sprintf("f%d", s.chance.IntN(soakFields))
	value := fmt.Sprintf("by-hand-%d", len(s.entries)*1000+s.chance.IntN(1000))
	var line string
	var do func()
	switch what := s.chance.IntN(10); {
	case what == 0 && heals(app):
		field, line = "", key+" missing"
		do = func() { s.do(http.MethodDelete, s.path("configmaps", name), nil) }
	case what == 1:
		line = fmt.Sprintf("%s data.%s: (none) -> as-git-says", key, field)
		do = func() { s.edit("configmaps", name, object{"data": object{field: nil}}) }
	case what == 2 && heals(app):
		field, line = "app", key+" metadata.labels.syncd.io/agent"
		do = func() {
			s.edit("configmaps", name, object{"metadata": object{"labels": object{"syncd.io/agent": nil}}})
		}
	default:
		line = fmt.Sprintf("%s data.%s: %s -> as-git-says (by kubectl-edit)", key, field, value)
		do = func() { s.edit("configmaps", name, object{"data": object{field: value}}) }
	}
	if !s.may(name + " " + field) {
		return
	}
	do()
	s.busy[name] = true
	s.lines[soakApp(app)][line]++
	s.count["drift"]++
	if !heals(app) {
		s.left[name] = field
	}
}

// read takes what is on record.
func (s *soak) read(app string) []state.Entry {
	s.t.Helper()
	var all []state.Entry
	s.eventually("an agent answers", func() (ok bool) {
		var err error
		all, err = s.history(app)
		return err == nil
	})
	for _, e := range all {
		s.entries[e.ID] = e
	}
	return all
}

// told is how often the record says each line of an app.
func (s *soak) told(app string) map[string]int {
	told := map[string]int{}
	for _, e := range s.entries {
		if e.App == app && e.Kind == "drift" && (e.Outcome == "opened" || e.Outcome == "changed") {
			for _, line := range e.Findings {
				told[s.named(app, line)]++
			}
		}
	}
	return told
}

// missed are the lines that the record owes.
func (s *soak) missed(app string) []string {
	told := s.told(app)
	var out []string
	for line, n := range s.lines[app] {
		if told[line] < n {
			out = append(out, line)
		}
	}
	return out
}

// named is a line as it is expected: of what begins like one, this one.
func (s *soak) named(app, line string) string {
	for want := range s.lines[app] {
		if strings.HasPrefix(line, want) {
			return want
		}
	}
	return line
}

// settle waits until all is well again, or told and put back by hand, and is told.
func (s *soak) settle() {
	s.t.Helper()
	for app := range soakApps {
		name := soakApp(app)
		s.eventually("all drift of "+name+" is on record", func() bool {
			s.read(name)
			return len(s.missed(name)) == 0
		})
	}
	for _, name := range slices.Sorted(maps.Keys(s.left)) {
		s.edit("configmaps", name, object{"data": object{s.left[name]: "as-git-says"}})
	}
	clear(s.left)
	for app := range soakApps {
		s.eventually("the drift of "+soakApp(app)+" is over", func() bool { return s.over(s.read(soakApp(app))) })
	}
	clear(s.busy)
}

// over tells whether the last that is said of drift is that there is none.
func (s *soak) over(lines []state.Entry) bool {
	lines = slices.DeleteFunc(lines, func(e state.Entry) bool { return e.Kind != "drift" })
	return len(lines) == 0 || lines[len(lines)-1].Outcome == "resolved"
}

// disturb does something to the agent, or to the API server.
func (s *soak) disturb(what int) {
	switch what {
	case 0:
		s.count["kill"]++
		s.kill(0)
	case 1:
		s.count["stop"]++
		s.stop(0)
	case 2:
		s.count["api server killed"]++
		s.on.cluster.KillAPIServer()
		s.on.back()
	case 3:
		s.count["api server stopped"]++
		s.on.cluster.StopAPIServer()
		s.on.back()
	}
}

// pause lets some time go by, at most so much.
func (s *soak) pause(most time.Duration) {
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	<-timer.C
}

// What people do to objects of a cluster, at any time, is told once each, and nothing
// else is, whatever becomes of the agent and of the API server meanwhile. Messages
// arrive once each too, but for those that come again with their key.
func TestEachDriftIsToldOnceWhateverIsRestarted(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv(soakEnv), "8s"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv(soakSeedEnv), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s := soaking(t, seed)
	s.sit(0)
	for app := range soakApps {
		s.eventually(soakApp(app)+" is applied", func() bool {
			return slices.ContainsFunc(s.read(soakApp(app)), func(e state.Entry) bool { return e.Outcome == "applied" })
		})
	}
	plan := []int{0, 2} // at least these
	for end := time.Now().Add(length); time.Now().Before(end) || len(plan) > 0; {
		for range 1 + s.chance.IntN(3) {
			s.drift()
			s.pause(200 * time.Millisecond)
		}
		switch {
		case len(plan) > 0:
			s.disturb(plan[0])
			plan = plan[1:]
		case s.chance.IntN(3) == 0:
			s.disturb(s.chance.IntN(4))
		}
		for range s.chance.IntN(3) {
			s.drift()
		}
		s.sit(0)
		s.pause(time.Second)
		if s.chance.IntN(3) == 0 {
			s.settle()
		}
	}
	s.settle()
	s.compare()
}

// compare holds the record and the messages against what was done.
func (s *soak) compare() {
	s.t.Helper()
	incidents := map[string]map[string]int{} // how often each was told to have opened, and so on
	for _, e := range s.entries {
		switch {
		case e.Kind == "drift" && incidents[e.Incident] == nil:
			incidents[e.Incident] = map[string]int{}
			fallthrough
		case e.Kind == "drift":
			incidents[e.Incident][e.Outcome]++
			if why := e.Reason; e.Outcome == "resolved" && why != "repaired by syncd" && why != "it went back by itself" {
				s.t.Errorf("%s is over because %q", e.Incident, why)
			}
		case e.Outcome != "applied" && e.Outcome != "started" && e.Kind != "source":
			s.t.Errorf("%s is told to be %s: %s", e.App, e.Outcome, e.Reason)
		}
	}
	for app := range soakApps {
		name := soakApp(app)
		for line, n := range s.told(name) {
			if want := s.lines[name][line]; want != n {
				s.t.Errorf("%d times it is on record, and %d times it was done: %s", n, want, line)
			}
		}
	}
	for id, told := range incidents {
		if told["opened"] != 1 || told["resolved"] != 1 || told["fight"] != 0 {
			s.t.Errorf("of %s is on record %v", id, told)
		}
	}
	s.heard(incidents)
	s.t.Logf("%v, %d incidents", s.count, len(incidents))
}

// heard holds the messages against the record.
func (s *soak) heard(incidents map[string]map[string]int) {
	s.t.Helper()
	var facts []heard
	s.eventually("every end is told", func() bool {
		ended := map[string]bool{}
		facts, s.count["message repeated"] = s.hears.all()
		for _, f := range facts {
			ended[f.Incident] = ended[f.Incident] || f.Event == "drift-resolved"
		}
		delete(ended, "")
		return !slices.ContainsFunc(slices.Collect(maps.Keys(incidents)), func(id string) bool { return !ended[id] })
	})
	times, lines := map[string]int{}, map[string]string{}
	for _, f := range facts {
		if f.Incident == "" && f.Event != "applied" && !strings.HasPrefix(f.Event, "source-") {
			s.t.Errorf("people are told of %+v", f)
		}
		if f.Incident == "" {
			continue
		}
		if incidents[f.Incident] == nil {
			s.t.Errorf("people are told of what is not on record: %+v", f)
		}
		times[f.Incident+" "+f.Event]++
		lines[f.App] += strings.Join(f.Findings, "\n") + "\n"
	}
	for what, n := range times {
		if n > 1 && !strings.HasSuffix(what, "drift-changed") {
			s.t.Errorf("people are told %d times: %s", n, what)
		}
	}
	for app, want := range s.lines {
		for line := range want {
			if !strings.Contains(lines[app], line) {
				s.t.Errorf("nobody is told of %s", line)
			}
		}
	}
}
