package image

import (
	"slices"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/image/oci"
)

func TestWhoIsAskedForAnImage(t *testing.T) {
	no := false
	f, err := New(Options{Registries: config.Registries{
		Mirrors: map[string]config.RegistryMirror{
			"docker.io": {Endpoint: []string{"https://a.lan:5000", "http://b.lan/v2/hub"}, Rewrite: map[string]string{"^library/(.*)": "hub/$1", "^lib": "never", "^me/(nginx)$": "$1-slim"}},
			"ghcr.io":   {Endpoint: []string{"https://a.lan:5000"}, Fallback: &no},
			"quay.io":   {},
			"*":         {Endpoint: []string{"https://all.lan"}},
		},
		Configs: map[string]config.RegistryConfig{"own.lan": {}, "ghcr.io": {}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		asked []string
		alone bool
	}{
		"nginx":            {[]string{"https://a.lan:5000 hub/nginx", "http://b.lan/v2/hub hub/nginx"}, false},
		"docker.io/me/web": {[]string{"https://a.lan:5000 me/web", "http://b.lan/v2/hub me/web"}, false},
		"me/nginx":         {[]string{"https://a.lan:5000 nginx-slim", "http://b.lan/v2/hub nginx-slim"}, false},
		"ghcr.io/me/web":   {[]string{"https://a.lan:5000 me/web"}, true},
		"quay.io/me/web":   {nil, false},
		"own.lan/web":      {[]string{"https://all.lan web", "https://own.lan web"}, true},
		"else.lan:1/web":   {[]string{"https://all.lan web"}, false},
	} {
		ref, err := oci.ParseRef(name)
		if err != nil {
			t.Fatal(err)
		}
		var asked []string
		for _, s := range f.sources(ref) {
			asked = append(asked, s.place.URL+" "+s.repository)
		}
		if !slices.Equal(asked, want.asked) || f.Alone(name) != want.alone {
			t.Errorf("%s: asked are %q, alone %t; want %q, %t", name, asked, f.Alone(name), want.asked, want.alone)
		}
	}
}
