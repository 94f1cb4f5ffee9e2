package server_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// answered are the types of all that the agent answers, and that -o json prints.
func answered() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[reconcile.Status](), reflect.TypeFor[reconcile.Preview](), reflect.TypeFor[reconcile.Result](), reflect.TypeFor[reconcile.Event](),
		reflect.TypeFor[reconcile.ActResult](), reflect.TypeFor[reconcile.Explanation](), reflect.TypeFor[state.Entry](), reflect.TypeFor[state.FailedLog](),
	}
}

func TestNoAnswerHasBareNanoseconds(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(at string, typ reflect.Type)
	walk = func(at string, typ reflect.Type) {
		if typ == reflect.TypeFor[time.Duration]() {
			t.Errorf("%s is a time.Duration, which JSON has as nanoseconds: want a resource.Duration", at)
		}
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(at, typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				if f := typ.Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
					walk(at+"."+f.Name, f.Type)
				}
			}
		}
	}
	for _, typ := range answered() {
		walk(typ.Name(), typ)
	}
}

// timed is a result with every span of time that there is.
func timed() reconcile.Result {
	const d = resource.Duration(1234 * time.Millisecond)
	step := apply.Step{ID: 1, Verb: apply.Put, Key: resource.Key{Kind: "network", Name: "x"}, Delay: 2 * d}
	return reconcile.Result{
		App: "shop", Outcome: reconcile.Applied, Duration: 3 * d, Plan: apply.Plan{Steps: []apply.Step{step}},
		Phases: reconcile.Phases{Render: d, Prepare: d, Observe: d, Rollout: d, Soak: d},
	}
}

func TestSpansOfTimeCrossTheSocketBothWays(t *testing.T) {
	want := timed()
	event := reconcile.Event{App: "shop", Step: &apply.Event{Step: want.Plan.Steps[0], Phase: apply.Waiting, Elapsed: want.Duration, Limit: want.Duration}, Result: &want}
	c := start(t, &fake{results: []reconcile.Result{want}, acting: func(_ context.Context, hear func(reconcile.Event)) error {
		hear(event)
		return nil
	}}, "")
	var heard []reconcile.Event
	results, err := c.Sync(t.Context(), reconcile.SyncRequest{}, func(e reconcile.Event) { heard = append(heard, e) })
	if err != nil || !reflect.DeepEqual(results, []reconcile.Result{want}) {
		t.Errorf("got %+v, %v; want %+v", results, err, want)
	}
	if !reflect.DeepEqual(heard, []reconcile.Event{event}) {
		t.Errorf("heard %+v, want %+v", heard, event)
	}
	raw, err := json.Marshal(results)
	if err != nil || !strings.Contains(string(raw), `"duration":"3.702s"`) || !strings.Contains(string(raw), `"soak":"1.234s"`) || !strings.Contains(string(raw), `"delay":"2.468s"`) {
		t.Errorf("as JSON it is %s, %v", raw, err)
	}
}
