package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/cmd/syncd/internal/policy"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

func app(name string, dependsOn ...string) policy.App {
	return policy.App{Name: name, Dir: name, File: name + "/compose.yaml", Config: config.App{DependsOn: dependsOn}}
}

// on puts an app on hosts with these labels (key=value).
func on(a policy.App, labels ...string) policy.App {
	a.Config.Hosts.MatchLabels = map[string]string{}
	for _, l := range labels {
		k, v, _ := strings.Cut(l, "=")
		a.Config.Hosts.MatchLabels[k] = v
	}
	return a
}

// claiming gives an app two replicas that claim these ("port 80/tcp").
func claiming(a policy.App, claims ...string) policy.App {
	var o resource.Object
	for _, c := range claims {
		kind, value, _ := strings.Cut(c, " ")
		o.Claims = append(o.Claims, resource.Claim{Kind: resource.ClaimKind(kind), Value: value})
	}
	a.Objects = []resource.Object{o, o}
	return a
}

func TestAppsMustGetAlong(t *testing.T) {
	for _, tt := range []struct {
		name string
		apps []policy.App
		want []string // APP: a part of the text
	}{
		{"nothing", nil, nil},
		{"a dependency", []policy.App{app("a"), app("b", "a"), app("c", "a", "b")}, nil},
		{"an unknown dependency", []policy.App{app("a", "x")}, []string{`a: a/.syncd.yaml: dependsOn: there is no app "x"`}},
		{"itself", []policy.App{app("a", "a")}, []string{"a: a circle: a -> a"}},
		{"a circle and who leads into it", []policy.App{app("a", "b"), app("b", "c"), app("c", "b")}, []string{"b: a circle: b -> c -> b", "c: a circle: c -> b -> c"}},
		{"one port twice", []policy.App{claiming(app("a"), "port 0.0.0.0:80/tcp"), claiming(app("b"), "port 127.0.0.1:80/tcp")}, []string{"b: b/compose.yaml: port 127.0.0.1:80/tcp (there: port 0.0.0.0:80/tcp) is claimed by app a too, in a/compose.yaml"}},
		{"one port of IPv6", []policy.App{claiming(app("a"), "port [::]:80/tcp"), claiming(app("b"), "port [::1]:80/tcp")}, []string{"b: port [::1]:80/tcp"}},
		{"two addresses", []policy.App{claiming(app("a"), "port 127.0.0.2:80/tcp"), claiming(app("b"), "port 127.0.0.1:80/tcp")}, nil},
		{"two protocols", []policy.App{claiming(app("a"), "port 0.0.0.0:80/udp"), claiming(app("b"), "port 0.0.0.0:80/tcp")}, nil},
		{"two networks of the host", []policy.App{claiming(app("a"), "port host network of web"), claiming(app("b"), "port host network of web")}, nil},
		{"one wide range", []policy.App{claiming(app("a"), "port 0.0.0.0:8000-8010/tcp for web/1"), claiming(app("b"), "port 0.0.0.0:8000-8010/tcp for web/1")}, nil},
		{"a port beside the host's network", []policy.App{claiming(app("a"), "port host network of web", "port 0.0.0.0:80/tcp"), claiming(app("b"), "port 0.0.0.0:80/tcp", "port host network of web")}, []string{"b: port 0.0.0.0:80/tcp is claimed by app a too"}},
		{"one name", []policy.App{claiming(app("a"), "name db"), claiming(app("b"), "name db")}, []string{"b: name db is claimed by app a too"}},
		{"volumes are the app's own", []policy.App{claiming(app("a"), "writer data"), claiming(app("b"), "writer data")}, nil},
		{"on different hosts", []policy.App{on(claiming(app("a"), "name db"), "site=berlin"), on(claiming(app("b"), "name db"), "site=rome")}, nil},
		{"perhaps on one host", []policy.App{on(claiming(app("a"), "name db"), "site=berlin"), on(claiming(app("b"), "name db"), "role=edge")}, []string{"b: name db"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := policy.Check(tt.apps)
			if len(got) != len(tt.want) {
				t.Fatalf("got %+v, want %q", got, tt.want)
			}
			for i, p := range got {
				name, text, _ := strings.Cut(tt.want[i], ": ")
				if p.App != name || !strings.Contains(p.Text, text) || p.Hint == "" {
					t.Errorf("got %+v, want %q with a hint", p, tt.want[i])
				}
			}
		})
	}
}

func TestManyAppsAreCheckedSoon(t *testing.T) {
	var apps []policy.App
	for i := range 300 {
		var needs []string
		for j := range i {
			needs = append(needs, fmt.Sprint(j))
		}
		apps = append(apps, app(fmt.Sprint(i), needs...))
	}
	slices.Reverse(apps)
	if got := policy.Check(apps); got != nil {
		t.Errorf("got %+v", got[0])
	}
}
