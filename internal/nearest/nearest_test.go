package nearest_test

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/nearest"
)

func TestTheWordThatWasMeantIsFound(t *testing.T) {
	keys := []string{"interval", "url", "selfHeal", "auto", "path"}
	verbs := []string{"explain", "plan", "status", "sync", "validate"}
	apps := []string{"blog", "shop", "mail", "a"}
	for _, c := range []struct {
		known      []string
		word, want string
	}{
		{keys, "intervall", "interval"},
		{keys, "Interval", "interval"},
		{keys, "self_heal", "selfHeal"},
		{keys, "selfheal", "selfHeal"},
		{keys, "ulr", "url"},
		{keys, "aut", "auto"},
		{keys, "ünterval", "interval"},
		{keys, "xyzzy", ""},
		{keys, "completely-different", ""},
		{keys, strings.Repeat("interval", 100), ""},
		{verbs, "staus", "status"},
		{verbs, "val", "validate"}, // not written to its end
		{verbs, "frobnicate", ""},
		{[]string{"--branch", "--tag"}, "--brach", "--branch"},
		{apps, "shpo", "shop"},
		{apps, "SHOP", "shop"},
		{apps, "sho", "shop"},
		{apps, "zzzzzz", ""},
		{apps, "b", ""}, // no letter in common with a, and too little of blog
		{nil, "shop", ""},
	} {
		if got := nearest.Word(c.word, c.known); got != c.want {
			t.Errorf("near %.20q is %q, want %q", c.word, got, c.want)
		}
	}
}

func TestTheFewNearestComeInOrder(t *testing.T) {
	known := []string{"zzz", "release", "mein", "main", "maint", strings.Repeat("x", 1000)}
	if got, want := nearest.Few("main", known, 3), []string{"main", "maint", "mein"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := nearest.Few("main", known[:2], 5); len(got) != 2 {
		t.Errorf("got %q, want all that there are", got)
	}
}
