package resource

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"keys are sorted, white space goes", json.RawMessage(` {"b": 1, "a" : [ 2, {"d":null,"c":true} ] } `), `{"a":[2,{"c":true,"d":null}],"b":1}`},
		{"no HTML escapes", map[string]string{"cmd": "a && b < c > d"}, `{"cmd":"a && b < c > d"}`},
		{"numbers stay as written", json.RawMessage(`{"n":12345678901234567890,"f":1.50}`), `{"f":1.50,"n":12345678901234567890}`},
		{"a text", "x\ny", `"x\ny"`},
		{"nothing", nil, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical(c.in)
			if err != nil || string(got) != c.want {
				t.Fatalf("got %s, %v, want %s", got, err, c.want)
			}
			again, err := Canonical(got)
			if err != nil || string(again) != c.want {
				t.Errorf("not stable: %s, %v", again, err)
			}
		})
	}
	for _, bad := range []any{make(chan int), json.RawMessage(`{"a"`), json.RawMessage(`1 2`)} {
		if got, err := Canonical(bad); err == nil || !strings.Contains(err.Error(), "canonical JSON") {
			t.Errorf("%v gave %s, %v", bad, got, err)
		}
	}
}

// A tree is written as what it was read from is.
func TestCanonicalOfATree(t *testing.T) {
	tree := map[string]any{
		"b": []any{int64(7), 1e21, 0.5, "a<b \u2028", nil, true, json.Number("1.50"), []any(nil), map[string]any(nil)},
		"a": map[string]any{"ü": "x", "A": map[string]any{}, "a": []any{}},
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Canonical(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Canonical(tree); err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func web(number string) Object {
	return Object{
		Key:   Key{Kind: "container", Namespace: "web", Name: number},
		Group: "web", Spec: json.RawMessage(`{"image":"v1"}`),
		Needs:  []Need{{Group: "db", Condition: Healthy, Required: true}},
		Claims: []Claim{{Kind: ClaimPort, Value: "0.0.0.0:80/tcp"}},
		Policy: Policy{Parallelism: 1},
	}
}

func TestHashIsOfKindAndSpec(t *testing.T) {
	base := web("1")
	if h := base.Hash(); !strings.HasPrefix(h, hashVersion+":") || len(h) != len(hashVersion)+1+64 {
		t.Errorf("hash %q", h)
	}
	same := web("2")
	same.Policy.Parallelism, same.Needs, same.Sensitive = 5, nil, []string{"/x"}
	if same.Hash() != base.Hash() {
		t.Error("replicas of one service, or another policy, are another thing")
	}
	spec, kind := web("1"), web("1")
	spec.Spec, kind.Key.Kind = json.RawMessage(`{"image":"v2"}`), "volume"
	if spec.Hash() == base.Hash() || kind.Hash() == base.Hash() {
		t.Error("another spec, or another kind, is the same thing")
	}
}

func TestDigestIsOfTheWholeSetInAnyOrder(t *testing.T) {
	base := Digest([]Object{web("1"), web("2")})
	if !strings.HasPrefix(base, "sha256:") {
		t.Errorf("digest %q", base)
	}
	if Digest([]Object{web("2"), web("1")}) != base {
		t.Error("the order of the objects counts")
	}
	for name, change := range map[string]func(*Object){
		"spec":   func(o *Object) { o.Spec = json.RawMessage(`{"image":"v2"}`) },
		"needs":  func(o *Object) { o.Needs[0].Condition = Started },
		"policy": func(o *Object) { o.Policy.Order = StopFirst },
		"claims": func(o *Object) { o.Claims = nil },
		"key":    func(o *Object) { o.Key.Name = "3" },
		"job":    func(o *Object) { o.Once, o.Job = true, &Job{OnRollback: KeepOnRollback} },
	} {
		o := web("1")
		change(&o)
		if Digest([]Object{o, web("2")}) == base {
			t.Errorf("%s does not count", name)
		}
	}
	if Digest(nil) != Digest([]Object{}) || Digest(nil) == base {
		t.Error("the empty set has no digest of its own")
	}
}

func TestDigestLeavesItsArgumentAlone(t *testing.T) {
	objects := []Object{web("2"), web("1")}
	Digest(objects)
	if objects[0].Key.Name != "2" {
		t.Error("the argument was sorted")
	}
}

func TestHealthMeets(t *testing.T) {
	for _, c := range []struct {
		name                        string
		health                      Health
		started, healthy, completed bool
	}{
		{"absent", Health{State: Absent}, false, false, false},
		{"starting", Health{State: Progressing, Started: true}, true, false, false},
		{"not started yet", Health{State: Progressing}, false, false, false},
		{"healthy", Health{State: Well, Started: true}, true, true, true},
		{"failed", Health{State: Failed, Started: true}, false, false, false},
	} {
		if c.health.Meets(Started) != c.started || c.health.Meets(Healthy) != c.healthy || c.health.Meets(Completed) != c.completed {
			t.Errorf("%s: started %t, healthy %t, completed %t", c.name, c.health.Meets(Started), c.health.Meets(Healthy), c.health.Meets(Completed))
		}
	}
}
