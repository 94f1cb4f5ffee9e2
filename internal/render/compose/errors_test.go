package compose

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// What is wrong with an input is told in the same words each time: a record that
// says something else at every poll would be news.
func TestTheSameMistakesGiveTheSameError(t *testing.T) {
	for name, text := range map[string]string{
		"healthcheck":    service("web", "image: a\nhealthcheck: {test: a, interval: 1us, timeout: 1us, start_period: 1us, start_interval: 1us}"),
		"owner":          "services: {web: {image: a, secrets: [{source: s, uid: me, gid: us}]}}\nsecrets: {s: {environment: GIVEN}}\n",
		"addresses":      service("web", "image: a\nnetworks: {default: {ipv4_address: here, ipv6_address: there}}"),
		"negative":       service("web", "image: a\ncpus: -1\nmem_limit: -1\ncpu_shares: -1\nshm_size: -1\nmem_reservation: -1"),
		"first level":    "jobs: {a: {image: a}}\nmodels: {a: {model: a}}\nx-syncd: {}\n" + webOnly,
		"labels":         service("web", "image: a\nlabels: {com.docker.compose.a: a, com.docker.compose.b: b, io.syncd.c: c}"),
		"network labels": "services: {web: {image: a}}\nnetworks: {default: {labels: {com.docker.compose.a: a, com.docker.compose.b: b, io.syncd.c: c}}}\n",
		"volume labels":  "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {labels: {com.docker.compose.a: a, com.docker.compose.b: b, io.syncd.c: c}}}\n",
		"shared":         "services: {web: {image: a, ipc: 'service:db', pid: 'service:db', network_mode: 'service:db'}, db: {image: a, scale: 0}}\n",
		"both jobs":      "services: {web: {image: a}, migrate: {image: a, x-syncd: {job: true}}}\n",
		"undefined":      "services: {a: {image: a, networks: [x, y], volumes: ['vol:/v']}, b: {image: a, networks: [z], depends_on: [q, r]}, c: {command: a}}\n",
		"not the type":   "services: {a: {image: [a], command: {a: b}}, b: {image: [b]}, c: {imagee: a}}\n",
		"no sizes":       "services: {a: {image: a, mem_limit: banana, shm_size: apple}, b: {image: a, mem_limit: pear}}\n",
		"no extension":   "services: {a: {extends: {file: b.yaml, service: x}}, b: {extends: {file: b.yaml, service: y}}}\n",
		"intervals":      "services: {a: {image: a, healthcheck: {interval: 1, timeout: 2}}, b: {image: b, stop_grace_period: x}}\n",
		"ports":          "services: {a: {image: a, ports: ['x:y', 'z:1']}, b: {image: b, ports: ['1:2:3:4']}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			req := merge(one(text), files{"app/b.yaml": "services: {z: {image: a}}\n"}).request(t)
			req.Values = map[string]string{"GIVEN": "x"}
			if name == "both jobs" {
				req.App.Config.Jobs = jobsOf("migrate", "run: x", "y")
			}
			first := failure(t, req)
			for range 10 {
				if again := failure(t, req); again.Error() != first.Error() || fault.Advice(again) != fault.Advice(first) {
					t.Fatalf("first: %v\nthen:  %v", first, again)
				}
			}
		})
	}
}

// A secret is in no note, however it came to be there.
func TestNotesShowNoSecrets(t *testing.T) {
	req := merge(web("volumes: ['./${DIR}:/m']"), files{"app/hunter2/a": "1"}).request(t)
	req.HostDir, req.Values, req.Secret = "/srv/shop", map[string]string{"DIR": "hunter2"}, []string{"DIR"}
	notes := strings.Join(mustRender(t, req).Notes, "\n")
	if notes == "" || strings.Contains(notes, "hunter2") {
		t.Errorf("notes %q", notes)
	}
}

// Short secrets are masked where they are a whole value; places stay readable.
func TestErrorsShowNoSecrets(t *testing.T) {
	for secret, c := range map[string]struct{ lines, want string }{
		"4711":    {"ports: ['80:80/${S}']", "invalid proto: (secret)"},
		"pin":     {"restart: ${S}", `restart: "(secret)" is none of`},
		"7":       {"ports: ['80:80/${S}']", "invalid proto: (secret)"},
		"4":       {"restart: ${S}", `restart: "(secret)" is none of`},
		"on":      {"restart: ${S}", `restart: "(secret)" is none of no, always, unless-stopped, on-failure`},
		`a"b\c`:   {"restart: '${S}'", `restart: "(secret)" is none of`},
		"a\tb":    {"restart: '${S}'", `restart: "(secret)" is none of`},
		"größer…": {"restart: ${S}", `restart: "(secret)" is none of`},
	} {
		req := web(c.lines).request(t)
		req.Values, req.Secret = map[string]string{"S": secret}, []string{"S"}
		err := failure(t, req)
		if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "app/compose.yaml:4: ") && len(c.lines) < 20 {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

// A flag only names the secret: what follows it as the next item is the secret.
func TestTheItemBehindASecretFlagIsSensitive(t *testing.T) {
	a := mustRender(t, web(`command: ["serve", "--password", "hunter2", "--port", "80"]`).request(t))
	if got := object(t, a, "container/web/1").Sensitive; !slices.Equal(got, []string{"/command/2"}) {
		t.Errorf("sensitive are %q", got)
	}
}
