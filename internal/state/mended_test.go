package state

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"
)

func TestRepairsAreReadAsTheyAreWritten(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	all := Mended{{At: now, Of: Marks{1, 1 << 63}}, {At: now.Add(time.Hour), Of: Marks{1}}}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var back Mended
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, all) {
		t.Errorf("%+v came back as %+v, %v", all, back, err)
	}
	if got := back.Times(); !maps.Equal(got, map[uint64]int{1: 2, 1 << 63: 1}) {
		t.Errorf("they count as %v", got)
	}
	if got := back.Since(func(at time.Time) bool { return at.After(now) }); len(got) != 1 || len(back) != 2 {
		t.Errorf("later are %v of %v", got, back)
	}
	var marks Marks
	if json.Unmarshal([]byte(`"AAAA"`), &marks) == nil || json.Unmarshal([]byte(`7`), &marks) == nil {
		t.Error("what are no marks is read as some")
	}
}
