package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// TestWhatBecomesOfAnOffer is the whole rule, without a server.
func TestWhatBecomesOfAnOffer(t *testing.T) {
	was, is := strings.Repeat("a", 40), strings.Repeat("b", 40)
	branch, tag := remote.Want{Refs: []string{"refs/heads/main"}}, remote.Want{Refs: []string{"refs/tags/v1"}}
	semver := remote.Want{Semver: ">=1 <3"}
	for _, c := range []struct {
		what     string
		want     remote.Want
		ref      string
		commit   string
		relation Relation
		rewrite  int // 1 is allowed, 2 is so from repo.url itself
		asks     bool
		state    RemoteState
	}{
		{"the same commit", branch, "refs/heads/main", was, Unknown, 0, false, RemoteServing},
		{"a newer one", branch, "refs/heads/main", is, Ahead, 0, true, RemoteServing},
		{"an older one", branch, "refs/heads/main", is, Behind, 0, true, RemoteStale},
		{"an older one, rewrites allowed", branch, "refs/heads/main", is, Behind, 2, true, RemoteStale},
		{"another history", branch, "refs/heads/main", is, Diverged, 0, true, RemoteDiverged},
		{"another history, allowed", branch, "refs/heads/main", is, Diverged, 2, true, RemoteServing},
		{"nobody knows", branch, "refs/heads/main", is, Unknown, 0, true, RemoteUnproven},
		{"nobody knows, allowed", branch, "refs/heads/main", is, Unknown, 2, true, RemoteServing},
		{"another history, allowed, of a mirror", branch, "refs/heads/main", is, Diverged, 1, true, RemoteServing},
		{"nobody knows, allowed, of a mirror", branch, "refs/heads/main", is, Unknown, 1, true, RemoteUnproven},
		{"another history of HEAD", remote.Want{}, "refs/heads/trunk", is, Diverged, 0, true, RemoteDiverged},
		{"the same tag", tag, "refs/tags/v1", was, Unknown, 0, false, RemoteServing},
		{"a moved tag, forward", tag, "refs/tags/v1", is, Ahead, 0, false, RemoteMoved},
		{"a moved tag, allowed", tag, "refs/tags/v1", is, Ahead, 2, true, RemoteServing},
		{"a moved tag, aside, allowed", tag, "refs/tags/v1", is, Diverged, 2, true, RemoteServing},
		{"a moved tag, back, allowed", tag, "refs/tags/v1", is, Behind, 2, true, RemoteStale},
		{"a moved tag, nobody knows where, allowed", tag, "refs/tags/v1", is, Unknown, 2, true, RemoteServing},
		{"a moved tag, nobody knows where, of a mirror", tag, "refs/tags/v1", is, Unknown, 1, true, RemoteUnproven},
		{"a higher version", semver, "refs/tags/v1.3.0", is, Unknown, 0, false, RemoteServing},
		{"a lower version", semver, "refs/tags/v1.1.0", is, Unknown, 0, false, RemoteStale},
		{"a lower version, rewrites allowed", semver, "refs/tags/v1.1.0", is, Unknown, 2, false, RemoteStale},
		{"the same version, moved", semver, "refs/tags/v1.2", is, Unknown, 0, false, RemoteMoved},
		{"the same version, moved, allowed", semver, "refs/tags/v1.2", is, Unknown, 2, false, RemoteServing},
		{"the same version, moved, allowed, of a mirror", semver, "refs/tags/v1.2", is, Unknown, 1, false, RemoteMoved},
	} {
		a := Anchor{Ref: c.want.String(), Found: "refs/tags/v1.2.0", Commit: was}
		o := offer{want: c.want, found: remote.Found{Ref: c.ref, Commit: c.commit}, relation: c.relation, rewrite: c.rewrite > 0, unproven: c.rewrite > 1}
		if got := a.comparable(o); got != c.asks {
			t.Errorf("%s: asks for the relation: %t, want %t", c.what, got, c.asks)
		}
		state := a.judge(o)
		if state != c.state {
			t.Errorf("%s: %s, want %s", c.what, state, c.state)
		}
		if err := a.errOf(state, o); state != RemoteServing && (!strings.Contains(err.Error(), "bbbbbbbbbb") && c.want.Semver == "" || err.Error() == "") {
			t.Errorf("%s: %v", c.what, err)
		}
		if got := (Anchor{}).judge(o); got != RemoteServing {
			t.Errorf("%s: %s on a new host", c.what, got)
		}
	}
}

// Of two revisions that begin alike none is chosen: whoever can make a commit can have
// it begin as another one does.
func TestDigitsThatNameTwoRevisionsAcceptNone(t *testing.T) {
	mine, theirs := "deadbeef01"+strings.Repeat("a", 30), "deadbeef01"+strings.Repeat("b", 30)
	r := &Repository{}
	for i, head := range []string{mine, theirs, mine} {
		r.standings = append(r.standings, standing{RemoteStatus: RemoteStatus{Name: fmt.Sprintf("https://%d.example.com", i), State: RemoteDiverged, Head: head}})
	}
	got, err := r.refusedHead("deadbeef01")
	if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), mine) || !strings.Contains(err.Error(), theirs+" of https://1.example.com") {
		t.Errorf("of two, %q was chosen: %v", got, err)
	}
	for _, digits := range []string{mine, theirs, theirs[:11]} {
		if got, err := r.refusedHead(digits); err != nil || !strings.HasPrefix(got, digits) {
			t.Errorf("%s: %q, %v", digits, got, err)
		}
	}
}

func TestWhomToAsk(t *testing.T) {
	now := time.Now()
	due, away, told := standing{}, standing{}, standing{told: true}
	away.Until, told.Until = now.Add(time.Minute), now.Add(time.Minute)
	over := standing{told: true}
	over.Until = now
	for name, c := range map[string]struct {
		all  []standing
		want []int
	}{
		"at first":                    {[]standing{due, due}, []int{0, 1}},
		"the first is left alone":     {[]standing{away, due, due}, []int{1, 2}},
		"nobody serves: all":          {[]standing{away, away}, []int{0, 1}},
		"but who asked for it":        {[]standing{told, away}, []int{1}},
		"all asked for it":            {[]standing{told, told}, nil},
		"its time is over":            {[]standing{over, away}, []int{0}},
		"one alone, that is away":     {[]standing{away}, []int{0}},
		"one alone, that wants peace": {[]standing{told}, nil},
	} {
		if got := queue(c.all, now); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPausesGrowAndAreNeverTheSame(t *testing.T) {
	for misses, want := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 3: 2 * time.Minute, 4: 4 * time.Minute, 5: 5 * time.Minute, 1000: 5 * time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			got := pauseAfter(misses)
			seen[got] = true
			if got < want*3/4 || got > want*5/4+1 {
				t.Errorf("after %d: %v, want some %v", misses, got, want)
			}
		}
		if len(seen) < 25 {
			t.Errorf("after %d: %d different pauses in 50", misses, len(seen))
		}
	}
}

// TestTheProxyOfTheEnvironment: by the rules that curl and git know.
func TestTheProxyOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		url  string
		env  []string // NAME=VALUE
		want string
	}{
		{"https://git.example.org/x", nil, ""},
		{"https://git.example.org/x", []string{"HTTPS_PROXY=http://p:3128"}, "http://p:3128"},
		{"https://git.example.org/x", []string{"https_proxy=p:3128"}, "http://p:3128"},
		{"https://git.example.org/x", []string{"HTTP_PROXY=http://p:3128"}, ""},
		{"http://git.example.org/x", []string{"HTTP_PROXY=http://p:3128"}, "http://p:3128"},
		{"https://git.example.org/x", []string{"HTTPS_PROXY=http://p:3128", "NO_PROXY=git.example.org"}, ""},
		{"https://git.example.org/x", []string{"HTTPS_PROXY=http://p:3128", "NO_PROXY=.example.org"}, ""},
		{"https://git.example.org/x", []string{"HTTPS_PROXY=http://p:3128", "no_proxy=*"}, ""},
		{"https://git.example.org/x", []string{"HTTPS_PROXY=http://p:3128", "NO_PROXY=ample.org"}, "http://p:3128"},
		{"https://10.1.2.3:8443/x", []string{"HTTPS_PROXY=http://p:3128", "NO_PROXY=10.0.0.0/8"}, ""},
		{"https://10.1.2.3/x", []string{"HTTPS_PROXY=http://p:3128", "NO_PROXY=192.168.0.0/16"}, "http://p:3128"},
		{"https://127.0.0.1/x", []string{"HTTPS_PROXY=http://p:3128"}, ""},
	} {
		env := map[string]string{}
		for _, e := range c.env {
			name, value, _ := strings.Cut(e, "=")
			env[name] = value
		}
		r, err := Open(Options{URL: c.url, Auth: config.Auth{AllowHTTP: true}, Environ: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.origins[0].proxy(); err != nil || got != c.want {
			t.Errorf("%s with %v: %q, %v; want %q", c.url, c.env, got, err, c.want)
		}
	}
}

// TestNothingPrintsASecret: neither what the child is asked nor the settings.
func TestNothingPrintsASecret(t *testing.T) {
	s := remote.Spec{URL: "https://h/x", Password: "hunter2", ClientKey: "hunter2", SSHKey: "hunter2", Proxy: "http://a:hunter2@p"}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%v", FetchRequest{Remote: s}), fmt.Sprintf("%+v", IntroduceRequest{Remote: s})} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("it is in %q", text)
		}
	}
}
