package state

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"syncd.io/syncd/internal/resource"
)

func TestTracesAreReadAsTheyAreWritten(t *testing.T) {
	now := time.Unix(0, time.Now().UnixNano()).UTC()
	all := Traces{1: {Touched: true}, 1 << 63: {First: now, Gone: true, Fought: true}, 7: {First: now.Add(time.Hour), Listed: true, Untold: true}}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var back Traces
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, all) {
		t.Errorf("%+v came back as %+v, %v", all, back, err)
	}
	if json.Unmarshal([]byte(`"AAAA"`), &back) == nil || json.Unmarshal([]byte(`7`), &back) == nil {
		t.Error("what are no traces is read as some")
	}
}

func TestOfTracesThatAreGoneTheLatestStay(t *testing.T) {
	all := Traces{}
	for i := range 100 {
		all[TraceOf(resource.Key{Kind: "container", Name: fmt.Sprint(i)}, "")] = Trace{First: time.Unix(int64(i), 0), Gone: i != 0, Fought: i == 1}
	}
	all.Forget(10)
	if len(all) != 11 {
		t.Fatalf("%d stay", len(all))
	}
	for i := range 100 {
		_, stays := all[TraceOf(resource.Key{Kind: "container", Name: fmt.Sprint(i)}, "")]
		if want := i <= 1 || i > 90; stays != want {
			t.Errorf("%d stays: %t", i, stays)
		}
	}
}
