package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// Whatever is accepted must survive the way to the agent and back; whatever is
// not must be rejected with a line.
func FuzzDecodeApp(f *testing.F) {
	f.Add([]byte(fullApp))
	f.Fuzz(func(t *testing.T, data []byte) {
		app, err := DecodeApp("f", data)
		survives(t, app, err)
	})
}

func FuzzDecodeHost(f *testing.F) {
	f.Add([]byte(fullHost))
	f.Fuzz(func(t *testing.T, data []byte) {
		host, err := DecodeHost("f", data)
		if err == nil && host.Repo.URL == "" {
			t.Error("a host without a repository was accepted")
		}
		survives(t, host, err)
	})
}

func survives[T any](t *testing.T, value T, err error) {
	if err != nil {
		if fault.Of(err) != fault.Rejected || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("not rejected with a line: %v", err)
		}
		return
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(data) {
		t.Errorf("through JSON: %v\n%s\n%s", err, data, again)
	}
}

// A variable that is read back from a single-quoted line is the same.
func FuzzDotenv(f *testing.F) {
	f.Add([]byte("A=1\nexport B=\"x\\n\" # c\nC='y\nz'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		values, bad := parseDotenv(data)
		if bad != nil {
			if bad.line < 1 || bad.line > strings.Count(string(data), "\n")+2 {
				t.Errorf("line %d of %q", bad.line, data)
			}
			return
		}
		var text strings.Builder
		for key, value := range values {
			if strings.Contains(value, "'") {
				return
			}
			text.WriteString(key + "='" + value + "'\n")
		}
		again, bad := parseDotenv([]byte(text.String()))
		if bad != nil || !reflect.DeepEqual(values, again) {
			t.Errorf("%q became %q: %v", values, again, bad)
		}
	})
}

// Whatever the URL of a repository is, a forge's place has an owner and a name, and no
// credentials.
func FuzzForgePlace(f *testing.F) {
	f.Add("github", "", "", "https://github.com/acme/deploy.git")
	f.Add("gitlab", "https://git.acme.org/api/v4", "a/b/c", "git@git.acme.org:a/b/c.git")
	f.Add("bitbucket-server", "https://git.acme.org", "", "https://user:word@git.acme.org/scm/OPS/deploy.git")
	f.Fuzz(func(t *testing.T, provider, url, repository, repo string) {
		place, err := Feedback{Provider: provider, URL: url, Repository: repository}.Place(repo)
		if err != nil {
			return
		}
		if place.Owner()+"/"+place.Name() != place.Path || strings.Contains(place.API, "@") {
			t.Errorf("it is at %+v", place)
		}
	})
}
