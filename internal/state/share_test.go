package state

import (
	"bytes"
	"encoding/json"
	"testing"

	"syncd.io/syncd/internal/resource"
)

func TestSetsShareWhatIsTheSame(t *testing.T) {
	object := func(name, spec string) resource.Object {
		return resource.Object{Key: resource.Key{Kind: "Service", Name: name}, Group: "0.1 config", Spec: json.RawMessage(spec)}
	}
	good := Set{Digest: "b", Objects: []resource.Object{object("web", `{"port":1}`), object("db", `{"port":2}`)}}
	old := Set{Digest: "a", Objects: []resource.Object{object("web", `{"port":9}`), object("db", `{"port":2}`), object("gone", `{}`)}}
	before := Record{App: "shop", Good: &good, Past: []Set{old}}
	was, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	r := before.Clone()
	r.Share()
	is, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(was, is) {
		t.Errorf("was %s\nis  %s", was, is)
	}
	if &r.Past[0].Objects[1].Spec[0] != &good.Objects[1].Spec[0] {
		t.Error("what is the same is there twice")
	}
	if &old.Objects[1].Spec[0] == &good.Objects[1].Spec[0] {
		t.Error("a set was changed that another reader has")
	}
}
