package resource

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestKeyOrder(t *testing.T) {
	ordered := []Key{
		{},
		{Kind: "container", Namespace: "db", Name: "1"},
		{Kind: "container", Namespace: "web", Name: "2"},
		{Kind: "container", Namespace: "web", Name: "10"},
		{Kind: "container", Namespace: "web", Name: "1a"},
		{Kind: "container", Namespace: "web", Name: "a"},
		{Kind: "network", Name: "back"},
		{Kind: "network", Namespace: "a", Name: "back"},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := a.Compare(b), compareInts(i, j); got != want {
				t.Errorf("%s.Compare(%s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestKeyText(t *testing.T) {
	for text, want := range map[string]Key{
		"network/back":         {Kind: "network", Name: "back"},
		"container/web/2":      {Kind: "container", Namespace: "web", Name: "2"},
		"Role/ns/system:a/b/c": {Kind: "Role", Namespace: "ns", Name: "system:a/b/c"},
		"/":                    {},
	} {
		var got Key
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("read %q: %#v, %v, want %#v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("%q is printed as %q", text, got)
		}
	}
	for _, text := range []string{"", "web", "container//1"} {
		if err := new(Key).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read without an error", text)
		}
	}
}

func TestKeysAreMapKeysInJSON(t *testing.T) {
	want := map[Key]int{{Kind: "container", Namespace: "web", Name: "1"}: 7}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got map[Key]int
	if err := json.Unmarshal(raw, &got); err != nil || got[Key{Kind: "container", Namespace: "web", Name: "1"}] != 7 {
		t.Fatalf("%s came back as %v, %v", raw, got, err)
	}
}

func FuzzKeyText(f *testing.F) {
	for _, seed := range []string{"container/web/1", "network/back", "/", "a//b/c", "a/b/c/d", "ü/\x00/9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var k, again Key
		if k.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(k.String())); err != nil || again != k {
			t.Fatalf("%q was read as %#v, and its print %q as %#v (%v)", text, k, k, again, err)
		}
	})
}

func FuzzKeyOrderIsTotal(f *testing.F) {
	f.Add("a/b/10", "a/b/1a", "a/b/2")
	f.Add("a/b", "a/b/c", "a/c")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		keys := make([]Key, 3)
		for i, text := range []string{a, b, c} {
			if keys[i].UnmarshalText([]byte(text)) != nil {
				return
			}
		}
		slices.SortFunc(keys, Key.Compare)
		if keys[0].Compare(keys[1]) > 0 || keys[1].Compare(keys[2]) > 0 || keys[0].Compare(keys[2]) > 0 {
			t.Fatalf("no order: %v", keys)
		}
		if keys[0].Compare(keys[1]) == 0 && keys[0] != keys[1] {
			t.Fatalf("%#v and %#v are not one slot", keys[0], keys[1])
		}
	})
}
