package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

const fullHost = `host:
  name: press-07
  labels: {site: plant-2, canary: true}
  vars: {HTTP_PORT: 8080, EMPTY: '', DEBUG: on}
  envFiles: [/etc/syncd/local.env]
repo:
  url: git@git.example.com:ops/plant.git
  ref: {branch: main}
  path: hosts/press
  interval: 1m30s
  auth:
    sshKeyFile: /etc/syncd/id_ed25519
    knownHostsFile: /etc/syncd/known_hosts
state: /srv/syncd
docker: unix:///var/run/docker.sock
socket: /run/syncd.sock
gate: {image: "registry.example.com:5000/syncd-gate:1"}
limits: {fetchMemory: 512MiB, file: 1048576, files: 10, fetchTime: 2m}
`

func TestDecodeHostReadsEveryKind(t *testing.T) {
	got, err := DecodeHost("syncd.yaml", []byte(fullHost))
	if err != nil {
		t.Fatal(err)
	}
	want := Host{
		Host: HostInfo{
			Name: "press-07", Labels: map[string]string{"site": "plant-2", "canary": "true"},
			Vars:     map[string]string{"HTTP_PORT": "8080", "EMPTY": "", "DEBUG": "on"},
			EnvFiles: []string{"/etc/syncd/local.env"},
		},
		Repo: Repo{
			URL: "git@git.example.com:ops/plant.git", Ref: Ref{Branch: "main"}, Path: "hosts/press",
			Interval: Duration(90 * time.Second),
			Auth:     Auth{SSHKeyFile: "/etc/syncd/id_ed25519", KnownHostsFile: "/etc/syncd/known_hosts"},
		},
		State: "/srv/syncd", Docker: "unix:///var/run/docker.sock", Socket: "/run/syncd.sock",
		Gate:   Gate{Image: "registry.example.com:5000/syncd-gate:1"},
		Limits: Limits{FetchMemory: 512 << 20, File: 1 << 20, Files: 10, FetchTime: Duration(2 * time.Minute)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

const fullApp = `name: shop
owner: team-shop
hosts: {matchLabels: {site: plant-2}}
compose: [compose.yaml, compose.prod.yaml]
profiles: [prod]
dependsOn: [database]
hostDir: /srv/shop
gate: http
sync: {auto: false, selfHeal: false, prune: false}
rollout: {timeout: 2m, soak: 0s}
rollback: {auto: false, keep: 0}
jobs:
  migrate: {onRollback: {run: restore}, before: backup}
  seed: {onRollback: "run:wipe"}
  warm: {onRollback: keep}
  load: {before: backup}
health: {onUnhealthy: restart, budget: 5}
`

func TestDecodeAppReadsEveryKindAndSurvivesJSON(t *testing.T) {
	app, err := DecodeApp(".syncd.yaml", []byte(fullApp))
	if err != nil {
		t.Fatal(err)
	}
	if app.AutoSync() || app.SelfHeal() || app.Prune() || app.AutoRollback() || app.KeepGood() != 0 ||
		app.Soak() != 0 || app.ReadyTimeout() != 2*time.Minute || !app.RestartUnhealthy() || app.RestartBudget() != 5 || app.Gate != "http" {
		t.Errorf("settings were lost: %+v", app)
	}
	for job, want := range map[string]string{"migrate": "run restore", "seed": "run wipe", "warm": "keep ", "load": "halt "} {
		action, service := app.Jobs[job].Policy()
		if got := string(action) + " " + service; got != want {
			t.Errorf("job %s: policy %q, want %q", job, got, want)
		}
	}
	data, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	var back App
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(app, back) {
		t.Errorf("through JSON:\n got %+v\nwant %+v", back, app)
	}
}

func TestEmptyAppHasEveryDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n", "sync:\nrollout:\n  # timeout: 5m\n"} {
		app, err := DecodeApp(".syncd.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if !app.AutoSync() || !app.SelfHeal() || !app.Prune() || !app.AutoRollback() || app.KeepGood() != 2 ||
			app.Soak() != 5*time.Second || app.ReadyTimeout() != time.Minute || app.RestartUnhealthy() || app.RestartBudget() != 3 {
			t.Errorf("%q: not the defaults: %+v", text, app)
		}
		if action, _ := app.Jobs["any"].Policy(); action != resource.HaltOnRollback {
			t.Errorf("%q: a job's default is %q, want halt", text, action)
		}
	}
}

func TestDecodeAppRejects(t *testing.T) {
	for name, c := range map[string]struct{ text, want, hint string }{
		"unknown key":     {"sync:\n  selfheal: true\n", `f:2: unknown key "sync.selfheal"`, `did you mean "selfHeal"?`},
		"unknown far":     {"xyzzy: 1\n", `f:1: unknown key "xyzzy"`, "known keys here: name, owner, hosts, compose, profiles, dependsOn, hostDir, gate, kubernetes, sync, drift, rollout, rollback, jobs, health"},
		"misplaced":       {"selfHeal: true\n", `f:1: unknown key "selfHeal"`, "it belongs at sync.selfHeal"},
		"duplicate":       {"name: a\nowner: x\nname: b\n", `f:3: duplicate key "name", first on line 1`, "remove one of them"},
		"on":              {"sync: {auto: on}\n", `f:1: sync.auto is "on": want true or false`, "write true or false"},
		"off":             {"sync:\n  prune: off\n", `f:2: sync.prune is "off": want true or false`, "write true or false"},
		"yes":             {"rollback: {auto: yes}\n", `f:1: rollback.auto is "yes": want true or false`, "write true or false"},
		"no":              {"rollback: {auto: no}\n", `f:1: rollback.auto is "no": want true or false`, "write true or false"},
		"True":            {"rollback: {auto: True}\n", `f:1: rollback.auto is "True": want true or false`, "write true or false"},
		"quoted":          {"sync: {auto: 'true'}\n", "f:1: sync.auto is text: want true or false", "remove the quotes"},
		"bool for text":   {"owner: true\n", "f:1: owner is a boolean: want text", "put the value in quotes"},
		"no value":        {"name:\n", "f:1: name has no value", "give it a value ('' is the empty one) or remove the key"},
		"list for map":    {"sync: [auto]\n", "f:1: sync is a list: want a mapping of keys to values", ""},
		"text for list":   {"compose: compose.yaml\n", "f:1: compose is text: want a list", "write each entry on a line of its own, after a dash"},
		"map for text":    {"name: {a: b}\n", "f:1: name is a mapping: want text", ""},
		"root list":       {"[]\n", "f:1: the file is a list: want a mapping of keys to values", ""},
		"root scalar":     {"hello\n", "f:1: the file is text: want a mapping of keys to values", ""},
		"year":            {"rollout: {timeout: 1y}\n", `f:1: rollout.timeout is "1y": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"no unit":         {"rollout: {timeout: 60}\n", `f:1: rollout.timeout is "60": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"negative soak":   {"rollout: {soak: -1s}\n", `f:1: rollout.soak is "-1s": want a duration between 0s and 24h, such as 30s or 5m`, ""},
		"keep":            {"rollback: {keep: -1}\n", `f:1: rollback.keep is "-1": want a whole number between 0 and 100`, ""},
		"keep text":       {"rollback: {keep: two}\n", `f:1: rollback.keep is "two": want a whole number`, ""},
		"hostDir":         {"hostDir: data\n", `f:1: hostDir is "data": want an absolute path, such as /etc/syncd`, ""},
		"app name":        {"name: Shop\n", `f:1: name is "Shop": want lower-case letters, digits, - and _, beginning with a letter or digit`, ""},
		"onUnhealthy":     {"health: {onUnhealthy: restrat}\n", `f:1: health.onUnhealthy is "restrat": want restart or report`, `did you mean "restart"?`},
		"onRollback":      {"jobs: {m: {onRollback: stop}}\n", `f:1: jobs.m.onRollback is "stop": want halt, keep or "run: SERVICE"`, ""},
		"onRollback map":  {"jobs: {m: {onRollback: {start: a}}}\n", "f:1: jobs.m.onRollback is a mapping: want halt, keep or {run: SERVICE}", ""},
		"onRollback bare": {"jobs:\n  m:\n    onRollback: run: a\n", "f:3: not valid YAML: mapping values are not allowed in this context", `put a value that holds ": " in quotes, and check the indentation`},
		"label":           {"hosts: {matchLabels: {'a b': c}}\n", `f:1: hosts.matchLabels: the name "a b" is not at most 63 letters, digits, ., -, _ and /, beginning and ending with a letter or digit`, ""},
		"two documents":   {"name: a\n---\nname: b\n", "f:2: a second YAML document begins here: want exactly one", "keep the first, or split them into files"},
		"alias":           {"owner: &a x\nname: *a\n", "f:2: YAML aliases (*a) are not allowed here", "write the value out"},
		"tag":             {"owner: !!binary aGk=\n", "f:1: YAML tags (!!binary) are not allowed here", "remove the tag"},
		"indentation":     {"sync:\n  auto: true\n prune: true\n", "f:3: not valid YAML: did not find expected key", "check the indentation and the quotes around this line"},
		"open quote":      {"name: a\nowner: \"b\n", "f:2: not valid YAML: found unexpected end of stream", "check the indentation and the quotes around this line"},
		"tab":             {"sync:\n\tauto: true\n", "f:2: not valid YAML: found character that cannot start any token", "indent with spaces, not with tabs, and put the value in quotes"},
		"not UTF-8":       {"name: a\nowner: \xff\n", "f:2: the file is not UTF-8 text", "save the file as UTF-8"},
		"UTF-16":          {"\xff\xfen\x00", "f:1: the file is not UTF-8 text", "save the file as UTF-8"},
		"control":         {"owner: \"a\\x1b[31m\"\n", "f:1: owner holds control characters", ""},
		"list key":        {"[a]: b\n", "f:1: the file has a key that is a list: want a word", ""},
		"absolute file":   {"compose: [/etc/passwd]\n", `f:1: compose is "/etc/passwd": want a path relative to the app's directory`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeApp("f", []byte(c.text))
			rejectedAs(t, err, c.want, c.hint)
		})
	}
}

func rejectedAs(t *testing.T, err error, want, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %s", want)
	}
	if err.Error() != want || fault.Advice(err) != hint || fault.Of(err) != fault.Rejected {
		t.Errorf("got  %s\nwant %s\nhint %q, want %q, class %s", err, want, fault.Advice(err), hint, fault.Of(err))
	}
}

func TestDecodeHostRejects(t *testing.T) {
	missing := "add repo: {url: ...}, the Git repository that this host follows"
	for name, c := range map[string]struct{ text, want, hint string }{
		"empty":         {"", "f:1: repo.url is missing", missing},
		"comments":      {"# repo:\n", "f:1: repo.url is missing", missing},
		"no url":        {"host: {name: a}\nrepo: {path: b}\n", "f:2: repo.url is missing", missing},
		"empty url":     {"repo: {url: ''}\n", `f:1: repo.url is "": want an https, ssh or file URL, or a path`, ""},
		"option as url": {"repo: {url: --upload-pack=x}\n", `f:1: repo.url is "--upload-pack=x": want an https, ssh or file URL, or a path`, ""},
		"password":      {"repo:\n  url: https://me:hunter2@host/r.git\n", "f:2: repo.url holds a password", "put the password into a file and name it in repo.auth.passwordFile"},
		"interval":      {"repo:\n  url: a\n  intervall: 1m\n", `f:3: unknown key "repo.intervall"`, `did you mean "interval"?`},
		"top interval":  {"repo: {url: a}\ninterval: 1m\n", `f:2: unknown key "interval"`, "it belongs at repo.interval"},
		"negative":      {"repo: {url: a, interval: -1s}\n", `f:1: repo.interval is "-1s": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"nanosecond":    {"repo: {url: a, interval: 1ns}\n", `f:1: repo.interval is "1ns": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"year":          {"repo: {url: a, interval: 1y}\n", `f:1: repo.interval is "1y": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"weeks":         {"repo: {url: a, interval: 200h}\n", `f:1: repo.interval is "200h": want a duration between 1s and 24h, such as 30s or 5m`, ""},
		"two targets":   {"repo:\n  url: a\ndocker: unix:///a\nkubernetes: {}\n", "f:4: both docker and kubernetes are given", "keep one of them: an agent keeps an engine or a cluster"},
		"two refs":      {"repo:\n  url: a\n  ref: {branch: b, tag: c}\n", "f:3: repo.ref has 2 of branch, tag, semver and commit: want at most one", "keep one of them"},
		"option as ref": {"repo: {url: a, ref: {branch: --exec=x}}\n", `f:1: repo.ref.branch is "--exec=x": want a name that Git allows`, ""},
		"ref dots":      {"repo: {url: a, ref: {branch: a/../b}}\n", `f:1: repo.ref.branch is "a/../b": want a name that Git allows`, ""},
		"short commit":  {"repo: {url: a, ref: {commit: abcdef1}}\n", `f:1: repo.ref.commit is "abcdef1": want the full 40 lower-case hex digits of a commit`, ""},
		"SHA-256":       {"repo: {url: a, ref: {commit: " + strings.Repeat("ab", 32) + "}}\n", `f:1: repo.ref.commit is "` + strings.Repeat("ab", 30) + `…": want the full 40 lower-case hex digits of a commit`, ""},
		"path":          {"repo: {url: a, path: apps/../../x}\n", `f:1: repo.path is "apps/../../x": want a path relative to the repository's root, without ..`, ""},
		"absolute path": {"repo: {url: a, path: /apps}\n", `f:1: repo.path is "/apps": want a path relative to the repository's root, without ..`, ""},
		"state":         {"repo: {url: a}\nstate: var/lib\n", `f:2: state is "var/lib": want an absolute path, such as /etc/syncd`, ""},
		"socket":        {"repo: {url: a}\nsocket: s.sock\n", `f:2: socket is "s.sock": want an absolute path, such as /etc/syncd`, ""},
		"engine":        {"repo: {url: a}\ndocker: /var/run/docker.sock\n", `f:2: docker is "/var/run/docker.sock": want an engine's address, such as unix:///var/run/docker.sock`, ""},
		"env file":      {"repo: {url: a}\nhost: {envFiles: [.env]}\n", `f:2: host.envFiles is ".env": want an absolute path, such as /etc/syncd`, ""},
		"variable":      {"repo: {url: a}\nhost: {vars: {A-B: c}}\n", `f:2: host.vars: the name "A-B" is not letters, digits and _, not beginning with a digit`, ""},
		"secret":        {"repo: {url: a, auth: {passwordFile: hunter2}}\n", "f:1: repo.auth.passwordFile is (secret): want an absolute path, such as /etc/syncd", ""},
		"secret var":    {"repo: {url: a}\nhost: {vars: {A: [hunter2]}}\n", "f:2: host.vars.A is a list: want text", ""},
		"passphrase":    {"repo: {url: a, auth: {sshPassphraseFile: /p}}\n", "f:1: repo.auth.sshPassphraseFile is of no use without a key", "add repo.auth.sshKeyFile"},
		"two passwords": {"repo:\n  url: a\n  auth: {passwordFile: /p, passwordEnv: P}\n", "f:3: repo.auth.passwordEnv and repo.auth.passwordFile are both given", "keep one of them"},
		"half a pair":   {"repo: {url: a, auth: {clientKeyFile: /k}}\n", "f:1: repo.auth.clientKeyFile is of no use without its certificate", "add repo.auth.clientCertFile"},
		"known hosts":   {"repo: {url: a, auth: {knownHosts: acceptnew}}\n", `f:1: repo.auth.knownHosts is (secret): want strict or accept-new`, `did you mean "accept-new"?`},
		"semver":        {"repo: {url: a, ref: {semver: '>=1.2; rm'}}\n", `f:1: repo.ref.semver is ">=1.2; rm": want a range of versions, such as >=1.2 <2`, ""},
		"max interval":  {"repo: {url: a, interval: 1m, maxInterval: 30s}\n", "f:1: repo.maxInterval is less than repo.interval", "the same as repo.interval is the least: then polls never become rarer"},
		"mirror":        {"repo:\n  url: a\n  mirrors:\n    - {auth: {}}\n", "f:4: repo.mirrors[0].url is missing", "write its URL"},
		"mirror's word": {"repo:\n  url: a\n  mirrors:\n    - b\n    - https://me:hunter2@host/r.git\n", "f:5: repo.mirrors[1].url holds a password", "put the password into a file and name it in the mirror's auth.passwordFile"},
		"mirror's key":  {"repo:\n  url: a\n  mirrors:\n    - url: b\n      auht: {}\n", `f:5: unknown key "repo.mirrors.auht"`, `did you mean "auth"?`},
		"mirror's auth": {"repo:\n  url: a\n  mirrors:\n    - {url: b, auth: {sshPassphraseFile: /p}}\n", "f:4: repo.mirrors[0].auth.sshPassphraseFile is of no use without a key", "add repo.mirrors[0].auth.sshKeyFile"},
		"list of lists": {"repo: {url: a, mirrors: [[b]]}\n", "f:1: repo.mirrors is a list: want a mapping of keys to values", ""},
		"plain http":    {"repo: {url: a, auth: {passwordFile: /p, allowHTTP: true}}\n", "f:1: repo.auth.allowHTTP is for repositories without credentials: a password would cross the network in the clear", "use https"},
		"size":          {"repo: {url: a}\nlimits: {file: 5 apples}\n", `f:2: limits.file is "5 apples": want a size between 1KiB and 1GiB, such as 512MiB`, ""},
		"small":         {"repo: {url: a}\nlimits: {fetchMemory: 1MiB}\n", `f:2: limits.fetchMemory is "1MiB": want a size between 64MiB and 1TiB, such as 512MiB`, ""},
		"overflow":      {"repo: {url: a}\nlimits: {file: 9999999999GiB}\n", `f:2: limits.file is "9999999999GiB": want a size between 1KiB and 1GiB, such as 512MiB`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeHost("f", []byte(c.text))
			rejectedAs(t, err, c.want, c.hint)
		})
	}
}

// A rule that would ignore nothing is no rule.
func TestARuleIgnoresSomething(t *testing.T) {
	for text, want := range map[string]string{
		"drift: {ignore: [{objects: [Deployment/web], reason: hpa}]}\n":                                                    "f:1: drift.ignore[0].fields is missing",
		"drift:\n  ignore:\n    - fields: [a]\n    - objects: [Deployment/web]\n      fields:\n      #  - spec.replicas\n": "f:4: drift.ignore[1].fields is missing",
	} {
		_, err := DecodeApp("f", []byte(text))
		rejectedAs(t, err, want, "such as fields: [spec.replicas]")
	}
}

func TestEveryProblemIsReportedInLineOrder(t *testing.T) {
	_, err := DecodeApp("apps/shop/.syncd.yaml", []byte("rollback: {keep: -1}\nsync:\n  auto: on\n  slefHeal: true\nname: A\n"))
	rejectedAs(t, err, `apps/shop/.syncd.yaml:1: rollback.keep is "-1": want a whole number between 0 and 100
apps/shop/.syncd.yaml:3: sync.auto is "on": want true or false (write true or false)
apps/shop/.syncd.yaml:4: unknown key "sync.slefHeal" (did you mean "selfHeal"?)
apps/shop/.syncd.yaml:5: name is "A": want lower-case letters, digits, - and _, beginning with a letter or digit`,
		"docs/configuration.md lists every key with its meaning")
}

func TestProblemsAreBounded(t *testing.T) {
	_, err := DecodeApp("f", []byte(strings.Repeat("- x\n", 3)+"")) // a list at the root is one problem
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("one problem became %v", err)
	}
	var many strings.Builder
	for i := range 5000 {
		many.WriteString("key" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String() + ": 1\n")
	}
	_, err = DecodeApp("f", []byte(many.String()))
	if lines := strings.Count(err.Error(), "\n"); lines != maxProblems {
		t.Errorf("%d lines, want %d and one that counts the rest", lines+1, maxProblems)
	}
}

// computed is the time that this goroutine's thread was on a CPU, however busy
// the machine is.
func computed(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(1, &used); err != nil { // 1 is RUSAGE_THREAD
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Bad YAML is rejected in milliseconds; the deadline leaves room for the race
// detector, and a quadratic parser would miss it by far.
func TestBombsAreRejectedAtOnce(t *testing.T) {
	bombs := map[string]string{
		"aliases":     "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n",
		"brackets":    strings.Repeat("[", 20000),
		"closed":      strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"braces":      strings.Repeat("{a: ", 20000),
		"dashes":      strings.Repeat("- ", 20000),
		"questions":   strings.Repeat("? ", 20000),
		"large":       "a: " + strings.Repeat("x", maxFile),
		"many keys":   strings.Repeat("a: 1\n", maxFile/5),
		"many lists":  "compose: [" + strings.Repeat("[],", maxFile/4) + "]",
		"many others": strings.Repeat("- &a b\n", maxFile/8),
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, text := range bombs {
		start := computed(t)
		_, err := DecodeApp("f", []byte(text))
		if fault.Of(err) != fault.Rejected {
			t.Errorf("%s: %v, want a rejection", name, err)
		}
		if took := computed(t) - start; took > 3*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func TestLoadHost(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "syncd.yaml")
	if _, err := LoadHost(path); fault.Of(err) != fault.Blocked || fault.Advice(err) == "" || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := LoadHost(dir); fault.Of(err) != fault.Blocked {
		t.Errorf("a directory: %v", err)
	}
	if err := os.WriteFile(path, []byte("repo: {url: /srv/repo}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := LoadHost(path)
	if err != nil {
		t.Fatal(err)
	}
	h = h.Defaults()
	if h.State != "/var/lib/syncd" || h.Socket != "/run/syncd/syncd.sock" || h.Repo.Interval.D() != 30*time.Second {
		t.Errorf("defaults: %+v", h)
	}
	want := Limits{Duration(5 * time.Minute), 1 << 30, 2 << 30, 5 << 20, 20000, 10000, Duration(time.Minute), 10 << 20, 5000}
	if h.Limits != want {
		t.Errorf("limits %+v, want %+v", h.Limits, want)
	}
	if again := h.Defaults(); !reflect.DeepEqual(again, h) {
		t.Errorf("defaults of defaults differ: %+v", again)
	}
}

func TestAMirrorIsAURLOrOneWithItsLogin(t *testing.T) {
	h, err := DecodeHost("f", []byte("repo:\n  url: https://a/r\n  mirrors:\n    - https://b/r\n    - url: ssh://c/r\n      auth: {sshKeyFile: /k, knownHosts: accept-new}\n    - {url: /d, auth: {}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Mirror{{URL: "https://b/r"}, {URL: "ssh://c/r", Auth: &Auth{SSHKeyFile: "/k", KnownHosts: "accept-new"}}, {URL: "/d", Auth: &Auth{}}}
	if !reflect.DeepEqual(h.Repo.Mirrors, want) {
		t.Errorf("got %+v, want %+v", h.Repo.Mirrors, want)
	}
}

func TestPollsBecomeTenTimesRarerAndAtMostEveryFiveMinutes(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Second: 10 * time.Second, 30 * time.Second: 5 * time.Minute, time.Hour: time.Hour} {
		h := Host{Repo: Repo{Interval: Duration(interval)}}.Defaults()
		if got := h.Repo.MaxInterval.D(); got != want {
			t.Errorf("every %v: at most %v, want %v", interval, got, want)
		}
	}
}

func TestSelectorMatchesAllLabelsOrNone(t *testing.T) {
	labels := map[string]string{"a": "1", "b": "2"}
	for _, c := range []struct {
		want map[string]string
		ok   bool
	}{{nil, true}, {map[string]string{"a": "1"}, true}, {map[string]string{"a": "1", "b": "3"}, false}, {map[string]string{"c": ""}, false}} {
		if got := (Selector{MatchLabels: c.want}).Matches(labels); got != c.ok {
			t.Errorf("%v: %v, want %v", c.want, got, c.ok)
		}
	}
}
