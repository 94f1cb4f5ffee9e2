package config

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

const windowedHost = `repo: {url: a, schedule: ["*/5 * * * *", CRON_TZ=Europe/Berlin 0 9 * * 1-5]}
webhook:
  listen: 127.0.0.1:9186
  hooks:
    - {name: forge, provider: github, secretFile: /etc/syncd/hook}
    - {name: ci, provider: generic, secretFile: /etc/syncd/ci, header: X-CI-Signature}
sync:
  windows:
    - {kind: allow, schedule: 0 22 * * *, duration: 6h, timeZone: Europe/Berlin, apps: [shop]}
    - {kind: deny, schedule: "@monthly", duration: 24h, heal: true}
`

func TestWindowsAndHooksOfAHost(t *testing.T) {
	host, err := DecodeHost("f", []byte(windowedHost))
	if err != nil {
		t.Fatal(err)
	}
	host = host.Defaults()
	if host.Repo.Interval != 0 || len(host.Repo.Schedule) != 2 {
		t.Errorf("with a schedule alone, it polls each %s, and at %q", host.Repo.Interval, host.Repo.Schedule)
	}
	want := Webhook{Listen: "127.0.0.1:9186", Path: "/hooks", Pause: Duration(2 * time.Second), Hooks: []Hook{
		{Name: "forge", Provider: "github", SecretFile: "/etc/syncd/hook"},
		{Name: "ci", Provider: "generic", SecretFile: "/etc/syncd/ci", Header: "X-CI-Signature"},
	}}
	if !reflect.DeepEqual(host.Webhook, want) {
		t.Errorf("webhook is %+v", host.Webhook)
	}
	for app, want := range map[string]string{
		"shop": `allow "0 22 * * *" Europe/Berlin for 6h, deny "@monthly" UTC for 24h`,
		"blog": `deny "@monthly" UTC for 24h`,
	} {
		var got []string
		for _, w := range host.Sync.WindowsFor(app) {
			times, err := w.Times()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, times.String())
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s has the windows %s, want %s", app, text, want)
		}
	}
}

func TestWindowsOfAnAppSurviveJSON(t *testing.T) {
	app, err := DecodeApp("f", []byte("sync:\n  windows:\n    - {kind: deny, schedule: 0 8 * * 1-5, duration: 10h, timeZone: Local}\n"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	var back App
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(app, back) || len(back.Sync.Windows) != 1 {
		t.Errorf("through JSON: %+v, %v", back, err)
	}
}

func TestWindowsAndHooksThatCannotBeMeantAreRefused(t *testing.T) {
	const repo = "repo: {url: a}\n"
	for name, c := range map[string]struct{ text, want, hint string }{
		"no expression":    {"repo: {url: a, schedule: ['61 * * * *']}\n", `f:1: repo.schedule is "61 * * * *": want a cron expression, such as 0 22 * * 1-5 (end of range (61) above maximum (59): 61)`, ""},
		"seconds":          {"repo: {url: a, schedule: ['0 0 9 * * *']}\n", `f:1: repo.schedule is "0 0 9 * * *": want a cron expression`, ""},
		"no quotes":        {"repo:\n  url: a\n  schedule:\n    - */5 * * * *\n", "f:4: not valid YAML", "put a value that begins with * in quotes"},
		"every":            {"repo: {url: a, schedule: ['@every 5m']}\n", `want a cron expression`, ""},
		"never":            {"repo: {url: a, schedule: ['0 0 30 2 *']}\n", "(that day never comes)", ""},
		"Mars":             {repo + "sync: {windows: [{kind: allow, schedule: 0 9 * * *, duration: 1h, timeZone: Mars/Olympus}]}\n", `f:2: sync.windows.timeZone is "Mars/Olympus": want a time zone, such as Europe/Berlin (there is no time zone "Mars/Olympus")`, ""},
		"a path":           {repo + "sync: {windows: [{kind: allow, schedule: 0 9 * * *, duration: 1h, timeZone: ../../etc/passwd}]}\n", "want a time zone", ""},
		"two zones":        {repo + "sync:\n  windows:\n    - {kind: allow, schedule: TZ=UTC 0 9 * * *, duration: 1h, timeZone: UTC}\n", "f:4: sync.windows[0].timeZone is given, and schedule names a time zone of its own", "name it in one of the two"},
		"no kind":          {repo + "sync: {windows: [{schedule: 0 9 * * *, duration: 1h}]}\n", "f:2: sync.windows[0].kind is missing", "allow or deny"},
		"no start":         {repo + "sync: {windows: [{kind: deny, duration: 1h}]}\n", "f:2: sync.windows[0].schedule is missing", "such as schedule: 0 22 * * 1-5"},
		"no end":           {repo + "sync: {windows: [{kind: deny, schedule: 0 9 * * *}]}\n", "f:2: sync.windows[0].duration is missing", "such as duration: 6h"},
		"too long":         {repo + "sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 745h}]}\n", `sync.windows.duration is "745h"`, ""},
		"an unknown key":   {repo + "sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 1h, zone: UTC}]}\n", `unknown key "sync.windows.zone"`, "known keys here: kind, schedule, duration, timeZone, heal, apps"},
		"nobody may tell":  {repo + "webhook: {listen: '127.0.0.1:9186'}\n", "f:2: webhook.listen is given, and nobody may tell: webhook.hooks is empty", "add hooks: [{name: forge, provider: github, secretFile: /etc/syncd/hook}]"},
		"nowhere to tell":  {repo + "webhook: {hooks: [{name: a, provider: github, secretFile: /a}]}\n", "f:2: webhook.hooks is given, and webhook.listen is not", "add listen: 127.0.0.1:9186, or whatever address the forge reaches"},
		"no secret":        {repo + "webhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: github}]}\n", "f:2: webhook.hooks[0].secretFile is missing", "write a long random secret into a file, and into the forge"},
		"a secret as such": {repo + "webhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: github, secret: hunter2}]}\n", `unknown key "webhook.hooks.secret"`, `did you mean "secretFile"?`},
		"another forge":    {repo + "webhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: gitbub, secretFile: /a}]}\n", `f:2: webhook.hooks.provider is "gitbub": want github or gitlab`, `did you mean "github"?`},
		"two of one name":  {repo + "webhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: github, secretFile: /a}, {name: a, provider: gitea, secretFile: /b}]}\n", `f:2: webhook.hooks[1].name is "a", like that of another hook`, "give it another name"},
		"a strange header": {repo + "webhook: {listen: '127.0.0.1:9186', hooks: [{name: a, provider: github, secretFile: /a, header: X-A}]}\n", "f:2: webhook.hooks[0].header is given, and a github webhook has its own", "remove it, or use provider: generic"},
		"a path upward":    {repo + "webhook: {listen: '127.0.0.1:9186', path: /a/../b, hooks: [{name: a, provider: github, secretFile: /a}]}\n", `webhook.path is "/a/../b": want a path, such as /hooks`, ""},
		"half of TLS":      {repo + "webhook: {listen: '127.0.0.1:9186', certFile: /a, hooks: [{name: a, provider: github, secretFile: /a}]}\n", "f:2: webhook.certFile is of no use without its key", "add webhook.keyFile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeHost("f", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if c.hint != "" && fault.Advice(err) != c.hint {
				t.Errorf("hint %q, want %q", fault.Advice(err), c.hint)
			}
			if strings.Contains(err.Error()+fault.Advice(err), "hunter2") {
				t.Errorf("it tells the secret: %v", err)
			}
		})
	}
	if _, err := DecodeApp("f", []byte("sync: {windows: [{kind: deny, schedule: 0 9 * * *}]}\n")); err == nil || !strings.Contains(err.Error(), "sync.windows[0].duration is missing") {
		t.Errorf("an app: %v", err)
	}
	if _, err := DecodeApp("f", []byte("sync: {windows: [{kind: deny, schedule: 0 9 * * *, duration: 1h, apps: [a]}]}\n")); err == nil || !strings.Contains(err.Error(), `unknown key "sync.windows.apps"`) {
		t.Errorf("an app's window that names apps: %v", err)
	}
}
