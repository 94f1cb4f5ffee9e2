package resource

import "testing"

func TestSortedIsByKeyAndACopy(t *testing.T) {
	in := []Object{web("10"), web("2"), {Key: Key{Kind: "a", Name: "z"}}}
	got := Sorted(in)
	if got[0].Key.Kind != "a" || got[1].Key.Name != "2" || got[2].Key.Name != "10" {
		t.Errorf("sorted %v %v %v", got[0].Key, got[1].Key, got[2].Key)
	}
	if in[0].Key.Name != "10" {
		t.Error("the argument was sorted")
	}
}
