package apply_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// set reads a set of objects, one service, network, volume or route a line:
//
//	web*3 v2 port=80 needs=db:healthy order=stop-first
//	network front bridge
//	route web 80
//
// Fields of a service: IMAGE health= limits= invalid= port= name= addr= writes=
// order= par= canary=PERCENT delay= monitor= ratio= action= ready= back=PAR (of its rollback)
// needs=GROUP:CONDITION[?][!restart|!recreate|!always],… on=NETWORK in=SERVICE (shares its namespace) and,
// for jobs, job demand before=.
func set(t *testing.T, text string) []resource.Object {
	t.Helper()
	var out []resource.Object
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "network", "volume":
			out = append(out, resource.Object{Key: resource.Key{Kind: words[0], Name: words[1]}, Spec: canonical(t, map[string]any{"driver": words[2]})})
		case "route":
			key := resource.Key{Kind: "route", Namespace: words[1], Name: words[2]}
			o := resource.Object{Key: key, Group: words[1], Spec: canonical(t, map[string]any{"mode": words[3]})}
			claim(&o, "port", words[2])
			out = append(out, o)
		default:
			out = append(out, service(t, words)...)
		}
	}
	return out
}

func service(t *testing.T, words []string) []resource.Object {
	t.Helper()
	name, times, _ := strings.Cut(words[0], "*")
	n, err := strconv.Atoi(times)
	if err != nil {
		n = 1
	}
	var out []resource.Object
	for i := 1; i <= n; i++ {
		o := resource.Object{Key: slot(name, i), Group: name, Policy: resource.Policy{Parallelism: 1}, Rollback: resource.Policy{Parallelism: 1}}
		spec := map[string]any{"image": words[1], "service": name}
		for _, w := range words[2:] {
			field(t, &o, spec, w)
		}
		o.Spec = canonical(t, spec)
		out = append(out, o)
	}
	return out
}

func slot(service string, n int) resource.Key {
	return resource.Key{Kind: "container", Namespace: service, Name: strconv.Itoa(n)}
}

func field(t *testing.T, o *resource.Object, spec map[string]any, word string) {
	t.Helper()
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "health", "limits", "invalid":
		spec[name] = value
	case "port", "name", "addr", "writes":
		claim(o, name, value)
		spec["claim "+name] = value
	case "order", "par", "delay", "monitor", "ratio", "action", "ready", "back", "canary":
		policy(t, o, name, value)
	case "needs":
		for _, v := range strings.Split(value, ",") {
			o.Needs = append(o.Needs, need(v))
		}
	case "on":
		o.Refs = append(o.Refs, resource.Key{Kind: "network", Name: value})
	case "in":
		o.Refs = append(o.Refs, slot(value, 1))
		o.Needs = append(o.Needs, need(value+":started!recreate"))
	case "job", "demand", "before":
		job(o, name, value)
	default:
		t.Fatalf("unknown field %s", word)
	}
}

func claim(o *resource.Object, kind, value string) {
	kinds := map[string]resource.ClaimKind{"port": resource.ClaimPort, "name": resource.ClaimName, "addr": resource.ClaimAddress, "writes": resource.ClaimWriter}
	for _, v := range strings.Split(value, ",") {
		switch {
		case kind == "port" && !strings.Contains(v, ":"):
			v = "0.0.0.0:" + v + "/tcp"
		case kind == "port":
			v += "/tcp"
		case kind == "writes":
			v += " for " + o.Group
		}
		o.Claims = append(o.Claims, resource.Claim{Kind: kinds[kind], Value: v})
	}
}

func policy(t *testing.T, o *resource.Object, name, value string) {
	t.Helper()
	number, _ := strconv.ParseFloat(value, 64) // 0 where it is no number
	duration, err := time.ParseDuration(value) // used where it is one
	p := &o.Policy
	switch name {
	case "order":
		p.Order, o.Rollback.Order = resource.Order(value), resource.Order(value)
	case "par":
		p.Parallelism = int(number)
	case "back":
		o.Rollback.Parallelism = int(number)
	case "ratio":
		p.MaxFailureRatio = number
	case "action":
		p.FailureAction = resource.FailureAction(value)
	case "canary":
		p.Canary = &resource.Canary{Share: int(number), For: resource.Duration(time.Minute)}
	case "delay":
		p.Delay = duration
	case "monitor":
		p.Monitor = duration
	case "ready":
		p.Ready = duration
	}
	if err != nil && strings.Contains("delay monitor ready", name) {
		t.Fatal(err)
	}
}

func need(text string) resource.Need {
	text, replace, _ := strings.Cut(text, "!")
	text, optional := strings.CutSuffix(text, "?")
	group, condition, _ := strings.Cut(text, ":")
	out := resource.Need{Group: group, Condition: resource.Condition(condition), Required: !optional, Always: replace == "always"}
	if !out.Always {
		out.OnReplace = resource.OnReplace(replace)
	}
	return out
}

func job(o *resource.Object, name, value string) {
	o.Once = true
	if o.Job == nil {
		o.Job = &resource.Job{}
	}
	switch name {
	case "demand":
		o.Job.OnDemand = true
	case "before":
		o.Job.Before = value
	}
}

func canonical(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := resource.Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// world returns a target on which all of the set runs, in its order.
func world(t *testing.T, objects []resource.Object) *applytest.Memory {
	t.Helper()
	m := applytest.NewMemory()
	if _, err := m.Observe(t.Context(), objects, apply.Owned{}); err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if _, err := m.Put(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range objects {
		if o.Key.Kind == "route" {
			m.ServeAll(o.Key)
		}
	}
	m.Forget()
	return m
}

// request observes and compares, as a pass does before it plans.
func request(t *testing.T, target apply.Target, want []resource.Object, done map[string]bool) apply.Request {
	t.Helper()
	pairs, err := target.Observe(context.WithoutCancel(t.Context()), want, apply.Owned{})
	if err != nil {
		t.Fatal(err)
	}
	return apply.Request{Pairs: pairs, Report: drift.Compare(pairs, drift.Options{Done: done}), Prune: true}
}

func plan(t *testing.T, req apply.Request) apply.Plan {
	t.Helper()
	p, err := apply.NewPlan(req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rollout is quick: an unprobed instance is proven after a second.
func rollout(target apply.Target) *apply.Rollout {
	return &apply.Rollout{Target: target, Stable: time.Second}
}

// leave puts running instances of the set beside what is there, as an agent that
// was killed leaves them.
func leave(t *testing.T, m *applytest.Memory, text string) {
	t.Helper()
	for _, o := range set(t, text) {
		if _, err := m.Leave(o); err != nil {
			t.Fatal(err)
		}
	}
}
