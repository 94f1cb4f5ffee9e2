package forge

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

func status(state State) Status {
	return Status{Commit: one, Context: "syncd/web-1 (production)", State: state, Description: "live and healthy: shop", URL: "https://board.example.org/web-1"}
}

// Each forge is told as its documentation says.
func TestEachForgeIsToldInItsOwnWay(t *testing.T) {
	const context, text, link = "syncd/web-1 (production)", "live and healthy: shop", "https://board.example.org/web-1"
	for _, x := range []struct {
		conf   config.Feedback
		code   int
		path   string
		header map[string]string
		body   map[string]any
		states map[State]string
	}{
		{
			config.Feedback{Provider: config.GitHub}, 201, "/api/v3/repos/acme/deploy/statuses/" + one,
			map[string]string{"Authorization": "Bearer " + secret, "X-GitHub-Api-Version": "2022-11-28", "Accept": "application/vnd.github+json"},
			map[string]any{"state": "success", "context": context, "description": text, "target_url": link},
			map[State]string{Pending: "pending", Failure: "failure", Superseded: "error"},
		},
		{
			config.Feedback{Provider: config.GitLab, Repository: "acme/ops/deploy"}, 201, "/api/v4/projects/acme%2Fops%2Fdeploy/statuses/" + one,
			map[string]string{"PRIVATE-TOKEN": secret},
			map[string]any{"state": "success", "name": context, "description": text, "target_url": link},
			map[State]string{Pending: "pending", Failure: "failed", Superseded: "canceled"},
		},
		{
			config.Feedback{Provider: config.Gitea}, 201, "/api/v1/repos/acme/deploy/statuses/" + one,
			map[string]string{"Authorization": "token " + secret},
			map[string]any{"state": "success", "context": context, "description": text, "target_url": link},
			map[State]string{Pending: "pending", Failure: "failure", Superseded: "warning"},
		},
		{
			config.Feedback{Provider: config.Forgejo}, 201, "/api/v1/repos/acme/deploy/statuses/" + one,
			map[string]string{"Authorization": "token " + secret},
			map[string]any{"state": "success", "context": context, "description": text, "target_url": link},
			map[State]string{Pending: "pending", Failure: "failure", Superseded: "warning"},
		},
		{
			config.Feedback{Provider: config.Bitbucket}, 201, "/2.0/repositories/acme/deploy/commit/" + one + "/statuses/build",
			map[string]string{"Authorization": "Bearer " + secret},
			map[string]any{"state": "SUCCESSFUL", "key": context, "name": context, "description": text, "url": link},
			map[State]string{Pending: "INPROGRESS", Failure: "FAILED", Superseded: "STOPPED"},
		},
		{
			config.Feedback{Provider: config.BitbucketServer, Username: "ann"}, 204, "/rest/api/latest/projects/acme/repos/deploy/commits/" + one + "/builds",
			map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+secret))},
			map[string]any{"state": "SUCCESSFUL", "key": context, "name": context, "description": text, "url": link},
			map[State]string{Pending: "INPROGRESS", Failure: "FAILED", Superseded: "CANCELLED"},
		},
	} {
		s := newServer(t, code(x.code, "{}"))
		d, _ := destinationAt(t, s, x.conf)
		if err := d.send(t.Context(), status(Success)); err != nil {
			t.Errorf("%s: %v", x.conf.Provider, err)
			continue
		}
		got := s.requests()[0]
		if got.method != http.MethodPost || got.path != x.path || !reflect.DeepEqual(got.body, x.body) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s was asked %s %s %v", x.conf.Provider, got.method, got.path, got.body)
		}
		for name, want := range x.header {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q", x.conf.Provider, name, got.header.Get(name))
			}
		}
		for state, want := range x.states {
			if err := d.send(t.Context(), status(state)); err != nil {
				t.Fatal(err)
			}
			all := s.requests()
			if said := all[len(all)-1].body["state"]; said != want {
				t.Errorf("%s calls %s %v", x.conf.Provider, state, said)
			}
		}
	}
}

// What a forge's limits leave of long texts, and what Bitbucket has to have.
func TestTextsAreCutToTheForgesLimits(t *testing.T) {
	long := Status{Commit: one, Context: "syncd/" + strings.Repeat("host", 30), State: Failure, Description: strings.Repeat("é\x1b[31m\n", 600)}
	for provider, most := range map[string]int{config.GitHub: 140, config.GitLab: 255, config.Gitea: 255, config.Bitbucket: 255, config.BitbucketServer: 255} {
		s := newServer(t, code(201, ""))
		d, _ := destinationAt(t, s, config.Feedback{Provider: provider})
		if err := d.send(t.Context(), long); err != nil {
			t.Fatal(err)
		}
		body := s.requests()[0].body
		text := []rune(body["description"].(string))
		if len(text) > most || len(text) < most/2 || text[len(text)-1] != '…' || strings.ContainsAny(string(text), "\n\x1b") {
			t.Errorf("%s: the description is %q", provider, string(text))
		}
		if key, ok := body["key"].(string); provider == config.Bitbucket && (!ok || len(key) > 40 || !strings.HasSuffix(key, digest(long.Context))) {
			t.Errorf("the key is %q", key)
		}
		if link, _ := body["url"].(string); provider == config.Bitbucket && link != s.URL+"/acme/deploy/commits/"+one {
			t.Errorf("the URL is %q", link)
		}
	}
}

// A link that is longer than a forge takes costs the link, and not the status.
func TestALinkThatIsTooLongIsLeftOut(t *testing.T) {
	for provider, x := range map[string]struct {
		most       int
		key, other string
	}{
		config.GitLab: {255, "target_url", ""}, config.Bitbucket: {450, "url", "/acme/deploy/commits/" + one},
		config.BitbucketServer: {450, "url", "/projects/acme/repos/deploy/commits/" + one},
	} {
		s := newServer(t, code(201, ""))
		d, _ := destinationAt(t, s, config.Feedback{Provider: provider})
		for _, length := range []int{x.most, x.most + 1} {
			link := "https://board.example.org/" + strings.Repeat("x", length-len("https://board.example.org/"))
			said := status(Success)
			said.URL = link
			if err := d.send(t.Context(), said); err != nil {
				t.Fatal(err)
			}
			all := s.requests()
			got, _ := all[len(all)-1].body[x.key].(string)
			want := link
			if length > x.most && x.other != "" {
				want = s.URL + x.other
			} else if length > x.most {
				want = ""
			}
			if got != want {
				t.Errorf("%s: of %d characters it was told %q", provider, length, got)
			}
		}
	}
}

func TestGitLabMayBeInThatStateAlready(t *testing.T) {
	said := `{"message":"Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via \"enqueue\")"}`
	d, _ := destinationAt(t, newServer(t, code(400, said)), config.Feedback{Provider: config.GitLab})
	if err := d.send(t.Context(), status(Pending)); err != nil {
		t.Error(err)
	}
	if err := d.send(t.Context(), status(Success)); fault.Of(err) != fault.Rejected {
		t.Errorf("another state is %v", err)
	}
}

// What an answer means for the next attempt; no error holds the token.
func TestWhatAnAnswerMeans(t *testing.T) {
	header := func(code int, pairs ...string) func(http.ResponseWriter, int) {
		return func(w http.ResponseWriter, _ int) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "you said "+secret)
		}
	}
	for name, x := range map[string]struct {
		answer func(http.ResponseWriter, int)
		class  fault.Class
		says   string
	}{
		"bad token":       {header(401), fault.Blocked, "Commit statuses: write"},
		"may not":         {header(403), fault.Blocked, "Commit statuses: write"},
		"limit":           {header(403, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102444800"), fault.Unreachable, "403"},
		"secondary limit": {code(403, "You have exceeded a secondary rate limit"), fault.Unreachable, "secondary"},
		"too many":        {header(429, "Retry-After", "30"), fault.Unreachable, "429"},
		"broken":          {header(502), fault.Unreachable, "502"},
		"no commit":       {header(404), fault.Rejected, "feedback.repository"},
		"not valid":       {header(422), fault.Rejected, "422"},
		"other":           {header(400), fault.Rejected, "400"},
		"elsewhere":       {header(307, "Location", "https://evil.example.org/x"), fault.Blocked, "https://evil.example.org"},
		"circle":          {header(307, "Location", "/again"), fault.Blocked, "circle"},
		"nowhere":         {header(301), fault.Blocked, "nowhere"},
	} {
		d, _ := destinationAt(t, newServer(t, x.answer), config.Feedback{Provider: config.GitHub})
		err := d.send(t.Context(), status(Success))
		if err == nil || fault.Of(err) != x.class || !strings.Contains(err.Error()+fault.Advice(err), x.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v %v", name, fault.Of(err), err)
		}
	}
}

// How long a forge is left alone.
func TestARateLimitIsHonoured(t *testing.T) {
	at := func(code int, body string, pairs ...string) answer {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return answer{code: code, header: h, body: body}
	}
	for name, x := range map[string]struct {
		got     answer
		pause   time.Duration
		limited bool
	}{
		"said":         {at(429, "", "Retry-After", "30"), 30 * time.Second, true},
		"unsaid":       {at(429, ""), time.Minute, true},
		"over already": {at(403, "", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1"), time.Second, true},
		"by its text":  {at(403, "You have exceeded a Secondary Rate Limit."), time.Minute, true},
		"some left":    {at(403, "", "X-RateLimit-Remaining", "17", "X-RateLimit-Reset", "1"), 0, false},
		"no limit":     {at(403, "Resource not accessible by personal access token"), 0, false},
		"in a while":   {at(503, "", "Retry-After", "7"), 7 * time.Second, true},
		"odd":          {at(429, "", "Retry-After", "soon"), time.Minute, true},
	} {
		if pause, limited := rateLimit(x.got); pause != x.pause || limited != x.limited {
			t.Errorf("%s: %v %v", name, pause, limited)
		}
	}
}

// A repository that was renamed is found where it is, with the same request.
func TestARedirectOnTheSameServerIsFollowed(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, n int) {
		if n == 1 {
			w.Header().Set("Location", "/api/v3/repositories/17/statuses/"+one)
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	d, _ := destinationAt(t, s, config.Feedback{Provider: config.GitHub})
	if err := d.send(t.Context(), status(Success)); err != nil {
		t.Fatal(err)
	}
	got := s.requests()
	if len(got) != 2 || got[1].method != http.MethodPost || got[1].path != "/api/v3/repositories/17/statuses/"+one || got[1].body["state"] != "success" || got[1].header.Get("Authorization") == "" {
		t.Errorf("it was asked %+v", got)
	}
}

// The answer of a server that floods is not read to its end.
func TestAnAnswerIsReadUpToABound(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ int) {
		w.WriteHeader(http.StatusBadGateway)
		for range 1 << 20 {
			if _, err := io.WriteString(w, strings.Repeat("x", 1024)); err != nil {
				return
			}
		}
	})
	d, _ := destinationAt(t, s, config.Feedback{Provider: config.GitHub})
	if err := d.send(t.Context(), status(Success)); fault.Of(err) != fault.Unreachable || len(err.Error()) > 500 {
		t.Errorf("it is %v", err)
	}
}

func TestATokenThatCannotBeRead(t *testing.T) {
	for name, conf := range map[string]config.Feedback{
		"no file":     {TokenFile: "/nowhere/token"},
		"a directory": {TokenFile: "/"},
		"no variable": {TokenEnv: "SYNCD_TEST_NO_SUCH_TOKEN"},
	} {
		conf.Provider, conf.Repository = config.GitHub, "acme/deploy"
		if _, err := Check([]config.Feedback{conf}, ""); err == nil || fault.Advice(errors.Unwrap(err)) == "" && fault.Advice(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	notes, err := Check([]config.Feedback{{Provider: config.Gitea, URL: "http://git.lan", Repository: "a/b", TokenFile: tokenFile(t)}}, "")
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "in the clear") {
		t.Errorf("%v %v", notes, err)
	}
}
