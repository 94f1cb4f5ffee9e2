package compose

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

func TestTheSameMeaningGivesTheSameSpec(t *testing.T) {
	for name, forms := range map[string][]string{
		"durations":      {"healthcheck: {test: a, interval: 90s}", "healthcheck: {test: a, interval: 1m30s}", "healthcheck: {test: [CMD-SHELL, a], interval: 1m30s}"},
		"bytes":          {"mem_limit: 1g", "mem_limit: 1024m", "mem_limit: 1073741824", "deploy: {resources: {limits: {memory: 1G}}}"},
		"cpus":           {"cpus: 0.1", "cpus: '0.10'", "deploy: {resources: {limits: {cpus: '.1'}}}"},
		"extra_hosts":    {"extra_hosts: ['b=2.2.2.2', 'a=1.1.1.1']", "extra_hosts: {a: 1.1.1.1, b: 2.2.2.2}", "extra_hosts: ['a:1.1.1.1', 'b:2.2.2.2']"},
		"environment":    {"environment: [A=1, B=2]", "environment: {B: 2, A: '1'}"},
		"labels":         {"labels: [a=1, b=2]", "labels: {b: 2, a: 1}"},
		"ports":          {"ports: ['80-81:90-91']", "ports: ['81:91', '80:90']", "ports: [{target: 90, published: 80}, {target: 91, published: '81', protocol: tcp}]"},
		"expose":         {"expose: [80-82]", "expose: ['82', 81/tcp, '80', '80']"},
		"command":        {"command: a 'b c'", "command: [a, b c]"},
		"capabilities":   {"cap_add: [net_admin, SYS_TIME]", "cap_add: [CAP_SYS_TIME, CAP_NET_ADMIN]"},
		"security":       {"security_opt: ['label:disable', 'no-new-privileges:true']", "security_opt: [no-new-privileges, label=disable]"},
		"volumes":        {"volumes: ['/a:/b:ro', /x]", "volumes: [{type: volume, target: /x}, {type: bind, source: /a, target: /b/, read_only: true}]"},
		"networks":       {"", "networks: [default]", "networks: {default: {}}", "networks: {default: {aliases: [web]}}"},
		"ulimits":        {"ulimits: {nofile: 5}", "ulimits: {nofile: {soft: 5, hard: 5}}"},
		"no healthcheck": {"healthcheck: {disable: true}", "healthcheck: {test: [NONE]}"},
		"restart":        {"", "restart: 'no'", "deploy: {restart_policy: {condition: none}}"},
		"replicas":       {"", "scale: 1", "deploy: {replicas: 1}", "deploy: {mode: global}"},
		"dns":            {"dns: 1.1.1.1", "dns: [1.1.1.1]"},
		"pull policy":    {"", "pull_policy: missing", "pull_policy: if_not_present"},
		"gpus":           {"gpus: all", "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: all}]}}}"},
		"devices":        {"devices: [/dev/null]", "devices: ['/dev/null:/dev/null']", "devices: ['/dev/null:/dev/null:rwm']"},
	} {
		t.Run(name, func(t *testing.T) {
			first := mustRender(t, web(forms[0]).request(t))
			for _, form := range forms[1:] {
				if got := mustRender(t, web(form).request(t)); !bytes.Equal(encoded(t, got), encoded(t, first)) {
					t.Errorf("%s\n%s\n%s\n%s", forms[0], encoded(t, first), form, encoded(t, got))
				}
			}
		})
	}
}

func TestCommandAndEntrypointKeepNothingAndNone(t *testing.T) {
	for lines, want := range map[string]string{
		"":               `"command":null,"entrypoint":null`,
		"entrypoint: []": `"command":null,"entrypoint":[]`,
		"command: []":    `"command":[],"entrypoint":null`,
		"entrypoint: ''": `"command":null,"entrypoint":[]`,
	} {
		if got := string(object(t, mustRender(t, web(lines).request(t)), "container/web/1").Spec); !strings.Contains(got, want) {
			t.Errorf("%s: %s", lines, got)
		}
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	req := merge(one(string(data)), files{"app/conf/nginx.conf": "x", "app/web.env": "A=1\nB=2\n"}).request(t)
	req.HostDir = "/srv/shop"
	req.Values = map[string]string{"TAG": "7", "DB_PASSWORD": "hunter2hunter2"}
	req.Secret = []string{"DB_PASSWORD"}
	first, err := json.MarshalIndent(mustRender(t, req), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		again, err := json.MarshalIndent(mustRender(t, req), "", " ")
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the same request gives other bytes: %v\n%s\n%s", err, first, again)
		}
	}
	golden(t, "testdata/shop.json", first)
}

// golden compares with a file; UPDATE=1 writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = append(got, '\n')
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; UPDATE=1 go test writes it:\n%s", name, got)
	}
}

func TestSecretsAreMarked(t *testing.T) {
	req := one(`services:
  web:
    image: a
    command: [run, "--key=${KEY}", --token=abc]
    environment:
      DB_PASSWORD: x
      URL: postgres://me:pw@db/x
      PLAIN: y
      FROM_FILE: pre-${KEY}
      SHORT: ${ONE}
      NUMBER: "21"
    labels: {a/b~c: "${KEY}"}
    healthcheck: {test: "PGPASSWORD=x pg_isready"}
    logging: {options: {splunk-token: t}}
    post_start: [{command: a, environment: {API_KEY: k}}]
    volumes: ['vol:/v']
volumes:
  vol: {driver_opts: {type: cifs, o: "username=me,password=${KEY}"}}
`).request(t)
	req.Values = map[string]string{"KEY": "k3yk3yk3y", "ONE": "1"}
	req.Secret = []string{"KEY", "ONE"}
	a := mustRender(t, req)
	want := []string{
		"/command/1", "/command/2", "/environment/DB_PASSWORD", "/environment/FROM_FILE", "/environment/SHORT", "/environment/URL",
		"/healthcheck/test/1", "/labels/a~1b~0c", "/logging/options/splunk-token", "/post_start/0/environment/API_KEY",
	}
	if got := object(t, a, "container/web/1").Sensitive; !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := object(t, a, "volume/vol").Sensitive; !slices.Equal(got, []string{"/driver_opts/o"}) {
		t.Errorf("volume: %q", got)
	}
}

func TestErrorsShowNoSecret(t *testing.T) {
	for _, lines := range []string{
		"privileged: ${KEY}", "ports: ['${KEY}:80']", "mem_limit: ${KEY}", "container_name: '/${KEY}'", "network_mode: 'service:${KEY}'",
		"hostname: '${NOPE:?no ${KEY}}'", "restart: ${KEY}", "volumes: ['${KEY}:/x']", "env_file: ${KEY}", "healthcheck: {test: a, interval: '${KEY}'}",
		"command: \"'${KEY}\"", "extends: {file: '${KEY}', service: x}", "depends_on: ['${KEY}']",
	} {
		req := web(lines).request(t)
		req.Values, req.Secret = map[string]string{"KEY": "k3yk3yk3y"}, []string{"KEY"}
		_, err := Render(t.Context(), req)
		if err == nil {
			t.Errorf("%s: rendered", lines)
			continue
		}
		if strings.Contains(err.Error()+fault.Advice(err), "k3yk3yk3y") {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

func TestErrorsAreHarmlessText(t *testing.T) {
	req := one("services: {web: {image: a, \"\\e[31m\\u202ebad\": b}}\n").request(t)
	err := failure(t, req)
	judge(t, req, err, fault.Rejected, "app/compose.yaml", "bad")
	if strings.ContainsAny(err.Error(), "\x1b\u202e") {
		t.Errorf("%q", err)
	}
}

func TestSeveralErrorsComeTogether(t *testing.T) {
	req := one("services:\n  a: {image: x, pull_policy: daily}\n  b: {image: x, volumes: ['./d:/d']}\n  c: {image: x, restart: often}\n").request(t)
	err := failure(t, req)
	judge(t, req, err, fault.Rejected, "service a", "service b", "service c", "app/compose.yaml:2", "app/compose.yaml:4")
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 || !strings.Contains(lines[2], "blocked") {
		t.Errorf("%q", lines)
	}
}
