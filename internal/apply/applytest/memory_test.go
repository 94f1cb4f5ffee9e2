package applytest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

func object(kind, group, name, spec string) resource.Object {
	return resource.Object{Key: resource.Key{Kind: kind, Namespace: group, Name: name}, Group: group, Spec: json.RawMessage(spec)}
}

func container(group, spec string) resource.Object { return object("container", group, "1", spec) }

func with(o resource.Object, change func(*resource.Object)) resource.Object {
	change(&o)
	return o
}

func TestMemoryConforms(t *testing.T) {
	applytest.Conformance(t, func(t *testing.T) (apply.Target, applytest.Fixtures) {
		network := object("network", "", "front", `{"driver":"bridge"}`)
		on := func(o *resource.Object) { o.Refs = append(o.Refs, network.Key) }
		port := func(o *resource.Object) {
			o.Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: "0.0.0.0:80/tcp"}}
		}
		once := func(o *resource.Object) { o.Once = true }
		in := func(o *resource.Object) { o.Refs = []resource.Key{container("vpn", "").Key} }
		return applytest.NewMemory(), applytest.Fixtures{
			Network: network, Volume: object("volume", "", "data", `{"driver":"local"}`),
			V1: with(container("web", `{"image":"v1"}`), on), V2: with(container("web", `{"image":"v2"}`), on),
			Mended: with(container("web", `{"image":"v1","limits":"1g"}`), on),
			Holder: with(container("old", `{"image":"v1"}`), port), Rival: with(container("new", `{"image":"v1"}`), port),
			Job:    with(container("migrate", `{"health":"exit:0:60ms"}`), once),
			Broken: with(container("migrate", `{"health":"exit:1:60ms"}`), once),
			Parent: container("vpn", `{"image":"v1"}`), Parent2: container("vpn", `{"image":"v2"}`), Child: with(container("app", `{"image":"v1"}`), in),
			Soon: 5 * time.Second,
		}
	})
}

// states looks at an instance of this health at each time after its put.
func states(t *testing.T, health string, at ...time.Duration) string {
	t.Helper()
	var out []string
	synctest.Test(t, func(t *testing.T) {
		m := applytest.NewMemory()
		o := container("web", `{"health":"`+health+`"}`)
		ref, err := m.Put(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for _, d := range at {
			<-time.After(d - time.Since(begun))
			h, err := m.Health(t.Context(), o.Key, ref)
			if err != nil {
				t.Fatal(err)
			}
			word := string(h.State)
			if h.Restarts > 0 {
				word += strings.Repeat("+", h.Restarts)
			}
			out = append(out, word)
		}
	})
	return strings.Join(out, " ")
}

func TestBehaviours(t *testing.T) {
	for health, want := range map[string]string{
		"":              "healthy healthy healthy",
		"running":       "healthy healthy healthy",
		"never":         "progressing progressing progressing",
		"slow:2s":       "progressing progressing healthy",
		"dies:1500ms":   "healthy healthy failed",
		"crashloop:1s":  "healthy progressing healthy+++",
		"crashes:2":     "healthy healthy+ healthy++",
		"exit:0:1500ms": "progressing progressing failed",
		"exit:3":        "failed failed failed",
	} {
		if got := states(t, health, 100*time.Millisecond, 1200*time.Millisecond-50*time.Millisecond, 4*time.Second); got != want {
			t.Errorf("%q: %s, want %s", health, got, want)
		}
	}
}

func TestNonsenseIsRejected(t *testing.T) {
	m := applytest.NewMemory()
	for _, spec := range []string{`{"health":"slow:soon"}`, `{"invalid":"no such field"}`, `{`} {
		if _, err := m.Put(t.Context(), container("web", spec)); fault.Of(err) != fault.Rejected {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if err := m.Validate(t.Context(), []resource.Object{container("web", `{"invalid":"no such field"}`)}); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "container/web/1: invalid") {
		t.Errorf("validate: %v", err)
	}
}

func TestPin(t *testing.T) {
	m := applytest.NewMemory()
	m.ImageAbsent("remote")
	web := []resource.Object{container("web", `{"image":"remote"}`)}
	_, missing, err := m.Pin(t.Context(), web, false)
	if err != nil || len(missing) != 1 || missing[0] != "remote" {
		t.Errorf("missing %v, %v", missing, err)
	}
	m.RegistryDown(true)
	if _, _, err := m.Pin(t.Context(), web, true); fault.Of(err) != fault.Unreachable {
		t.Errorf("registry down: %v", err)
	}
	m.RegistryDown(false)
	pinned, missing, err := m.Pin(t.Context(), web, true)
	if err != nil || len(missing) != 0 || string(pinned[0].Spec) != `{"image":"remote","pin":"sha256:remote"}` {
		t.Errorf("pinned %s, missing %v, %v", pinned[0].Spec, missing, err)
	}
	if string(web[0].Spec) != `{"image":"remote"}` {
		t.Error("the argument was changed")
	}
	m.ImageUnknown("typo")
	if _, _, err := m.Pin(t.Context(), []resource.Object{container("web", `{"image":"typo"}`)}, true); fault.Of(err) != fault.Rejected {
		t.Errorf("no such image: %v", err)
	}
	again, _, err := m.Pin(t.Context(), pinned, true)
	if err != nil || string(again[0].Spec) != string(pinned[0].Spec) {
		t.Errorf("pinned again %s, %v", again[0].Spec, err)
	}
}

func TestFaultsAreInjectedWhereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, o, boom := applytest.NewMemory(), container("web", `{}`), errors.New("boom")
		m.FailAt(1, boom)
		m.LoseAnswerAt(2, boom)
		for range 2 {
			if _, err := m.Put(t.Context(), o); !errors.Is(err, boom) {
				t.Fatal(err)
			}
		}
		if n := len(m.Instances(o.Key)); n != 1 {
			t.Errorf("%d instances: the first call has no effect, the second has", n)
		}
		m.Unreachable(time.Now(), time.Now().Add(time.Second))
		if _, err := m.Observe(t.Context(), nil, apply.Owned{}); fault.Of(err) != fault.Unreachable {
			t.Errorf("observe: %v", err)
		}
		<-time.After(time.Second)
		ref, err := m.Put(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := "put container/web/1: boom\nput container/web/1 " + ref.ID + ": boom\nput container/web/1 " + ref.ID
		if m.Log() != want || m.Changes() != 3 || m.Count("observe") != 1 {
			t.Errorf("log\n%s\nwant\n%s", m.Log(), want)
		}
	})
}

func TestLowestCountsTheHealthy(t *testing.T) {
	m := applytest.NewMemory()
	for _, n := range []string{"1", "2", "3"} {
		if _, err := m.Put(t.Context(), object("container", "web", n, `{}`)); err != nil {
			t.Fatal(err)
		}
	}
	m.WatchLowest()
	key := container("web", "").Key
	m.Kill(key)
	m.Break(object("container", "web", "2", "").Key, "ill")
	m.Break(object("container", "web", "2", "").Key, "")
	if got := m.Lowest("web"); got != 1 {
		t.Errorf("lowest %d", got)
	}
}

func TestHandsChangeTheWorld(t *testing.T) {
	m, o := applytest.NewMemory(), container("web", `{"image":"v1"}`)
	if _, err := m.Put(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do   func()
		text string
	}{
		"rename": {func() { m.Rename(o.Key, "oops") }, "name: oops -> web-1"},
		"kill":   {func() { m.Kill(o.Key) }, "state: stopped -> running"},
		"edit":   {func() { m.Edit(o.Key, `{"image":"v1","limits":"2g"}`) }, "limits: 2g -> (none)"},
	} {
		c.do()
		pairs, err := m.Observe(t.Context(), []resource.Object{o}, apply.Owned{})
		if err != nil {
			t.Fatal(err)
		}
		if got := drift.Compare(pairs, drift.Options{}).String(); !strings.Contains(got, c.text) {
			t.Errorf("%s: %s, want %s", name, got, c.text)
		}
		if _, err := m.Put(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	m.Vanish(o.Key)
	if got := m.Slots(); len(got) != 0 {
		t.Errorf("slots %v", got)
	}
}
