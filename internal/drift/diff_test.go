package drift

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/resource"
)

func TestFieldPaths(t *testing.T) {
	for _, c := range []struct{ name, want, live, text string }{
		{"equal", `{"a":{"b":[1]}}`, `{"a":{"b":[1]}}`, ""},
		{"equal in another order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, ""},
		{"leaf", `{"a":{"b":1}}`, `{"a":{"b":2}}`, "a.b: 2 -> 1"},
		{"in path order", `{"b":1,"a":1,"c":1}`, `{"c":2,"a":2,"b":1}`, "a: 2 -> 1\nc: 2 -> 1"},
		{"added", `{"environment":{"A":"1"}}`, `{}`, "environment.A: (none) -> 1"},
		{"removed", `{}`, `{"environment":{"A":"1","B":"2"}}`, "environment.A: 1 -> (none)\nenvironment.B: 2 -> (none)"},
		{"empty is not absent", `{"a":{},"b":""}`, `{}`, `a: (none) -> {}` + "\n" + `b: (none) -> ""`},
		{"another type", `{"a":[1]}`, `{"a":{"x":1}}`, `a: {"x":1} -> [1]`},
		{"plain lists are one leaf", `{"command":["a","b"]}`, `{"command":["a"]}`, `command: ["a"] -> ["a","b"]`},
		{"ports by target", `{"ports":[{"target":80,"published":"8080"}]}`, `{"ports":[{"target":443},{"target":80,"published":"80"}]}`,
			"ports[80].published: 80 -> 8080\nports[443].target: 443 -> (none)"},
		{"a port's protocol tells it apart", `{"ports":[{"target":53,"protocol":"udp"},{"target":53,"protocol":"tcp"}]}`, `{"ports":[{"target":53,"protocol":"tcp"}]}`,
			"ports[53/udp].protocol: (none) -> udp\nports[53/udp].target: (none) -> 53"},
		{"mounts by target", `{"volumes":[{"target":"/data","source":"a"}]}`, `{"volumes":[{"target":"/data","source":"b"}]}`, "volumes[/data].source: b -> a"},
		{"networks by key", `{"networks":[{"network":"back","aliases":["x"]}]}`, `{"networks":[{"network":"back"}]}`, `networks[back].aliases: (none) -> ["x"]`},
		{"two of one target are one leaf", `{"ports":[{"target":80,"published":"1"},{"target":80,"published":"2"}]}`, `{"ports":[]}`,
			`ports: [] -> [{"published":"1","target":80},{"published":"2","target":80}]`},
		{"numbers beyond floats", `{"n":12345678901234567890}`, `{"n":12345678901234567891}`, "n: 12345678901234567891 -> 12345678901234567890"},
		{"spans of time", `{"healthcheck":{"interval":1500000000},"stop_grace_period":60000000000}`, `{"healthcheck":{"interval":2000000000,"timeout":0}}`,
			"healthcheck.interval: 2s -> 1.5s\nhealthcheck.timeout: 0s -> (none)\nstop_grace_period: (none) -> 1m0s"},
		{"no span of time", `{"interval":1500000000}`, `{"interval":1}`, "interval: 1 -> 1500000000"},
		{"a span that is none", `{"drain":"x\u001b"}`, `{"drain":1.5}`, "drain: 1.5 -> x?"},
		{"not JSON", `{"a":1}`, `oops`, `: oops -> {"a":1}`},
		{"no control characters", `{"a":"x\u001b[31m\u202ey"}`, `{"a":"\u0000"}`, "a: ? -> x?[31m?y"},
		{"nor in names", `{"a\u001b":{"b\u202e":1}}`, `{"a\u001b":{"b\u202e":2}}`, "a?.b?: 2 -> 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := differ{}
			var lines []string
			for _, ch := range d.diff(json.RawMessage(c.want), json.RawMessage(c.live)) {
				lines = append(lines, ch.String())
			}
			if got := strings.Join(lines, "\n"); got != c.text {
				t.Errorf("got\n%s\nwant\n%s", got, c.text)
			}
		})
	}
}

func TestInPlaceIsByPrefix(t *testing.T) {
	d := differ{inPlace: []string{"/limits", "/a~1b"}}
	want := json.RawMessage(`{"limits":{"cpu":1},"limitsX":1,"a/b":1,"name":"x"}`)
	got := map[string]bool{}
	for _, c := range d.diff(want, json.RawMessage(`{}`)) {
		got[c.Path] = c.InPlace
	}
	for path, inPlace := range map[string]bool{"limits.cpu": true, "limitsX": false, "a/b": true, "name": false} {
		if now, there := got[path]; !there || now != inPlace {
			t.Errorf("%s: in place %t (there: %t), want %t", path, now, there, inPlace)
		}
	}
}

func TestLongValuesShowWhereTheyDiffer(t *testing.T) {
	long := strings.Repeat("日x", 300)
	d := differ{}
	changes := d.diff(quote(t, long+"new"), quote(t, long+"old"))
	c := changes[0]
	if !strings.HasSuffix(c.Want, "new") || !strings.HasSuffix(c.Live, "old") || len(c.Want) > maxShown {
		t.Errorf("%q -> %q", c.Live, c.Want)
	}
	c = (&differ{}).diff(quote(t, long), quote(t, "short"))[0]
	if len(c.Want) > maxShown+len("…") || !strings.HasSuffix(c.Want, "…") || c.Live != "short" {
		t.Errorf("%q -> %q", c.Live, c.Want)
	}
}

func quote(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := resource.Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// planted is a value that no report may show.
const planted = "hunter2-planted"

func TestSecretsNeverReachAReport(t *testing.T) {
	for name, c := range map[string]struct {
		want, live string
		sensitive  []string
		earlier    []string
	}{
		"by the field's name":          {want: `{"environment":{"DB_PASSWORD":"` + planted + `"}}`, live: `{"environment":{"DB_PASSWORD":"x"}}`},
		"the old value too":            {want: `{"environment":{}}`, live: `{"environment":{"DB_PASSWORD":"` + planted + `"}}`},
		"a whole block":                {want: `{}`, live: `{"environment":{"DB_PASSWORD":"` + planted + `"}}`},
		"below a secret's name":        {want: `{"secrets":{"db":{"content":"` + planted + `"}}}`, live: `{}`},
		"in a list of names":           {want: `{"env":[{"name":"DB_PASSWORD","value":"` + planted + `"}]}`, live: `{"env":[]}`},
		"in a list of one name twice":  {want: `{"env":[{"name":"DB_PASSWORD","value":"` + planted + `"},{"name":"DB_PASSWORD","value":"x"}]}`, live: `{"env":[]}`},
		"in a list with a nameless":    {want: `{"env":[]}`, live: `{"env":[{"value":"x"},{"name":"DB_PASSWORD","value":"` + planted + `"}]}`},
		"in a URL":                     {want: `{"environment":{"DB":"postgres://u:` + planted + `@db/x"}}`, live: `{}`},
		"in a command":                 {want: `{"command":["serve","--password=` + planted + `"]}`, live: `{"command":["serve"]}`},
		"after an option":              {want: `{"command":["redis","--requirepass","` + planted + `"]}`, live: `{"command":[]}`},
		"by pointer":                   {want: `{"environment":{"X":"` + planted + `"}}`, live: `{"environment":{"X":"y"}}`, sensitive: []string{"/environment/X"}},
		"by a pointer into a list":     {want: `{"command":["a","` + planted + `"]}`, live: `{"command":["b"]}`, sensitive: []string{"/command/1"}},
		"by a pointer above":           {want: `{"config":{"a":{"b":"` + planted + `"}}}`, live: `{}`, sensitive: []string{"/config"}},
		"by a pointer of an older set": {want: `{}`, live: `{"environment":{"X":"` + planted + `"}}`, earlier: []string{"/environment/X"}},
		"under an unexpected type":     {want: `{"environment":"none"}`, live: `{"environment":{"DB_PASSWORD":"` + planted + `"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := pair(c.want, c.live)
			p.Want.Sensitive = c.sensitive
			report := Compare([]resource.Pair{p}, Options{Sensitive: map[resource.Key][]string{p.Key: c.earlier}})
			raw, err := json.Marshal(report)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw)+report.String(), planted) {
				t.Errorf("the secret is shown:\n%s\n%s", report, raw)
			}
			if !strings.Contains(report.String(), resource.Mask) {
				t.Errorf("the difference is not shown at all:\n%s", report)
			}
		})
	}
}

func TestMaskedSpecHoldsNoSecret(t *testing.T) {
	spec := `{"command":["a","--token=` + planted + `"],"environment":{"DB_PASSWORD":"` + planted + `","PORT":"80","PIN_TOKEN":7},` +
		`"env":[{"name":"API_KEY","value":"` + planted + `"},{"name":"A","value":"b"}],"x":["` + planted + `"],"y":null}`
	raw, err := json.Marshal(Masked(json.RawMessage(spec), []string{"/x"}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"command":["a","(secret)"],"env":[{"name":"(secret)","value":"(secret)"},{"name":"A","value":"b"}],` +
		`"environment":{"DB_PASSWORD":"(secret)","PIN_TOKEN":"(secret)","PORT":"80"},"x":["(secret)"],"y":null}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

// A command line may say in one item that the next one is a secret.
func TestSecretsBehindTheirFlagsAreMaskedAndCollected(t *testing.T) {
	for name, c := range map[string]struct {
		spec, want string
		secrets    []string
	}{
		"flag and value": {`["run","--password","hunter2","--port","80"]`, `["run","--password","(secret)","--port","80"]`, []string{"hunter2"}},
		"header":         {`["curl","-H","Authorization:","hunter2"]`, `["curl","-H","Authorization:","(secret)"]`, []string{"hunter2"}},
		"flag alone":     {`["run","--password"]`, `["run","--password"]`, nil},
		"two flags":      {`["--token","--pass","hunter2"]`, `["--token","(secret)","(secret)"]`, []string{"--pass", "hunter2"}},
		"setting":        {`["--token=hunter2"]`, `["(secret)"]`, []string{"--token=hunter2", "hunter2"}},
		"one text": {`["sh","-c","x --password hunter2 && PGPASSWORD=hunter3 psql postgres://u:hunter4@db/x"]`, `["sh","-c","(secret)"]`,
			[]string{"hunter2", "hunter3", "hunter4", "x --password hunter2 && PGPASSWORD=hunter3 psql postgres://u:hunter4@db/x"}},
		"quoted":     {`["mysql --password='hunter2' --token \"hunter3\""]`, `["(secret)"]`, []string{"hunter2", "hunter3", `mysql --password='hunter2' --token "hunter3"`}},
		"one header": {`["Authorization: Bearer hunter2"]`, `["(secret)"]`, []string{"Authorization: Bearer hunter2", "Bearer hunter2"}},
	} {
		t.Run(name, func(t *testing.T) {
			raw := json.RawMessage(`{"command":` + c.spec + `}`)
			got, err := resource.Canonical(Masked(raw, nil))
			if err != nil || string(got) != `{"command":`+c.want+`}` {
				t.Errorf("masked %s (%v), want %s", got, err, c.want)
			}
			secrets := Secrets(raw, nil)
			slices.Sort(secrets)
			if !slices.Equal(secrets, c.secrets) {
				t.Errorf("secrets %q, want %q", secrets, c.secrets)
			}
		})
	}
}

func TestHarmlessText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                  "plain",
		"a\x1b[31mb":             "a?[31mb",
		"a\nb\tc":                "a?b?c",
		"user\u202etxt":          "user?txt",
		"a\u200bb":               "a?b",
		"\xff":                   "?",
		"größer":                 "größer",
		"two\u2028lines":         "two?lines",
		strings.Repeat("x", 201): strings.Repeat("x", 200) + "…",
	} {
		if got := Harmless(in); got != want {
			t.Errorf("Harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":[{"target":1}]}`), []byte(`{"a":[{"target":2}]}`))
	f.Add([]byte(`{"a":{}}`), []byte(`{}`))
	f.Add([]byte(`[1,"x"]`), []byte(`null`))
	f.Fuzz(func(t *testing.T, want, live []byte) {
		a, errA := resource.Canonical(json.RawMessage(want))
		b, errB := resource.Canonical(json.RawMessage(live))
		if errA != nil || errB != nil {
			return
		}
		changes := (&differ{}).diff(a, b)
		if (len(changes) == 0) != (string(a) == string(b)) {
			t.Fatalf("%s and %s differ in %v", a, b, changes)
		}
		for _, c := range changes {
			if strings.ContainsAny(c.String(), "\x1b\n\r\x00") {
				t.Fatalf("a change that is not harmless: %q", c)
			}
		}
	})
}

// What a secret was part of before is no secret field any more: its value is.
func TestKnownSecretsAreMaskedWhereverTheyStand(t *testing.T) {
	p := resource.Pair{
		Want:   &resource.Object{},
		Stored: json.RawMessage(`{"command":["a"],"test":{"x":"b"},"word":"one"}`),
		Live:   []resource.Instance{{Spec: json.RawMessage(`{"command":["http://h/hunter2/x"],"test":{"x":"hunter2"},"word":"on"}`)}},
	}
	text := Compare([]resource.Pair{p}, Options{Secrets: []string{"hunter2", "on"}}).String()
	if strings.Contains(text, "hunter2") || strings.Count(text, resource.Mask) != 4 || !strings.Contains(text, "on -> one") {
		t.Errorf("got\n%s", text)
	}
}
