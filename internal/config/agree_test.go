package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// An editor that uses the schema and the agent that decodes say the same of
// what a schema can express.
func TestSchemasAgreeWithTheDecoder(t *testing.T) {
	host, app := compiled(t, HostSchema), compiled(t, AppSchema)
	hostOf := func(text string) error { _, err := DecodeHost("f", []byte(text)); return err }
	appOf := func(text string) error { _, err := DecodeApp("f", []byte(text)); return err }
	for _, c := range []struct {
		schema *jsonschema.Schema
		decode func(string) error
		texts  []string
	}{
		{host, hostOf, []string{
			fullHost, "repo: {url: a}\n", "repo: {}\n", "host: {name: a}\n", "repo: {url: a, ref: {branch: b, tag: c}}\n", "repo: {url: a, path: ../b}\n",
			"repo: {url: a, intervall: 1m}\n", "repo: {url: a}\nstate: b\n", "repo: {url: a, ref: {commit: abc}}\n", "repo: {url: a}\nlimits: {files: 0}\n",
			"repo: {url: a}\nhost: {vars: {A-B: c}}\n", "repo: {url: a}\nhost: {labels: {a: 'b c'}}\n", "repo: {url: a, interval: 5}\n", "repo: {url: a}\nlimits: {file: 5 apples}\n",
			"repo: {url: a}\nmetrics: {listen: '127.0.0.1:9185'}\n", "repo: {url: a}\nmetrics: {listen: ':9185'}\n", "repo: {url: a}\nmetrics: {listen: 9185}\n", "repo: {url: a}\nmetrics: {listen: '127.0.0.1:65536'}\n", "repo: {url: a}\nmetrics: {listen: '127.0.0.1:65535'}\n",
			"repo: {url: -a}\n", "repo: {url: a}\ndocker: /var\n", "repo: {url: a}\nhost: {envFiles: [a]}\n", "repo: {url: a, ref: {branch: a..b}}\n",
			"repo: {url: a}\ngate: {image: a/b:1}\n", "repo: {url: a}\ngate: {image: 'a b'}\n", "repo: {url: a}\ngate: {image: 'https://a/b'}\n", "repo: {url: a}\ngate: a\n",
			windowedHost, "repo: {url: a, schedule: ['* * * *']}\n", "repo: {url: a, schedule: '* * * * *'}\n", "repo: {url: a, schedule: ['@daily']}\n",
			"repo: {url: a}\nsync: {windows: [{kind: deny, schedule: 0 9 * * *}]}\n", "repo: {url: a}\nsync: {windows: [a]}\n", "repo: {url: a}\nsync: {windows: [{kind: both, schedule: 0 9 * * *, duration: 1h}]}\n",
			"repo: {url: a}\nwebhook: {listen: '127.0.0.1:9186', hooks: [{name: A, provider: github, secretFile: /a}]}\n", "repo: {url: a}\nwebhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: github, secretFile: a}]}\n",
		}},
		{app, appOf, []string{
			fullApp, "{}\n", "sync:\n", "sync: {auto: 'true'}\n", "sync: []\n", "name: Shop\n", "health: {onUnhealthy: never}\n", "rollback: {keep: -1}\n",
			"jobs: {a: {onRollback: stop}}\n", "jobs: {a: {onRollback: {start: b}}}\n", "jobs: {a: {onRollback: 'run: b'}}\n", "jobs: {'a b': {}}\n", "compose: a\n",
			"compose: [/a]\n", "hostDir: a\n", "selfHeal: true\n", "rollout: {timeout: 1y}\n", "hosts: {matchLabels: {a: b}}\n", "dependsOn: [A]\n",
			"gate: none\n", "gate: udp\n", "gate: {mode: tcp}\n",
			"drift: {ignore: [{fields: [a]}]}\n", "drift: {ignore: [{objects: [Deployment/web], reason: x}]}\n", "drift: {ignore: [{fields: []}]}\n", "drift: {ignore: [{fields: }]}\n", "drift: {ignore: [ ]}\n",
			"sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 1h}]}\n", "sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 1h, apps: [a]}]}\n", "sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 1h, timeZone: 'a b'}]}\n",
		}},
	} {
		for _, text := range c.texts {
			decoded, valid := c.decode(text), c.schema.Validate(plainValue(t, text))
			if (decoded == nil) != (valid == nil) {
				t.Errorf("%s\ndecoder: %v\nschema: %v", text, decoded, valid)
			}
		}
	}
}

func compiled(t *testing.T, schema func() ([]byte, error)) *jsonschema.Schema {
	t.Helper()
	data, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plainValue(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.NewDecoder(strings.NewReader(text)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
