package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

func TestAVariableWithoutAValueIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		files files
		words []string
	}{
		"braces":            {web("hostname: ${NOPE}"), []string{"app/compose.yaml:4", "service web", "hostname", "NOPE", "host.vars", "host.envFiles"}},
		"plain":             {web("hostname: $NOPE"), []string{"app/compose.yaml:4", "service web", "hostname", "NOPE"}},
		"in the middle":     {web(`command: '{"a": "$NOPE"}'`), []string{"app/compose.yaml:4", "NOPE"}},
		"in a list":         {web("environment:\n  - A=1\n  - B=${NOPE}"), []string{"app/compose.yaml:6", "environment", "NOPE"}},
		"in a default":      {web("hostname: ${A:-${NOPE}}"), []string{"app/compose.yaml:4", "NOPE"}},
		"required":          {web("hostname: ${NOPE:?say what}"), []string{"app/compose.yaml:4", "NOPE", "say what"}},
		"required, empty":   {web("hostname: ${EMPTY:?say what}"), []string{"EMPTY", "say what"}},
		"extension":         {one("x-a: ${NOPE}\n" + webOnly), []string{"app/compose.yaml:1", "x-a", "NOPE"}},
		"not complete":      {web("hostname: ${"), []string{"app/compose.yaml:4", "hostname", "$$"}},
		"override":          {merge(web(""), files{"app/compose.override.yaml": service("web", "hostname: $NOPE")}), []string{"app/compose.override.yaml:3", "NOPE"}},
		"included":          {merge(one("include: [i.yaml]\n"+webOnly), files{"app/i.yaml": service("x", "image: $NOPE")}), []string{"app/i.yaml:3", "service x", "NOPE"}},
		"extended":          {merge(web("extends: {file: b.yaml, service: b}"), files{"app/b.yaml": service("b", "hostname: $NOPE")}), []string{"app/b.yaml:3", "service b", "NOPE"}},
		"env_file":          {merge(web("env_file: e"), files{"app/e": "A=$NOPE\n"}), []string{"app/compose.yaml:4", "service web", "env_file", "app/e", "NOPE"}},
		".env":              {merge(web(""), files{"app/.env": "A=${NOPE}\n"}), []string{"app/.env", "NOPE"}},
		"config's variable": {one("services: {web: {image: a, configs: [c]}}\nconfigs: {c: {environment: NOPE}}\n"), []string{"app/compose.yaml:2", "config c", "environment", "NOPE", "host.vars"}},
		"secret's variable": {one("services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {environment: NOPE}}\n"), []string{"app/compose.yaml:2", "secret s", "environment", "NOPE"}},
		"the agent's own":   {web("hostname: ${PATH}"), []string{"PATH"}},
		"the agent's home":  {web("hostname: ${HOME}"), []string{"HOME"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.files.request(t)
			req.Values = map[string]string{"EMPTY": ""}
			mustFail(t, req, fault.Rejected, c.words...)
		})
	}
}

func TestVariablesAsComposeHasThem(t *testing.T) {
	req := merge(one(service("web", strings.Join([]string{
		"image: nginx:${TAG}",
		"environment:",
		"  DEFAULT: ${NOPE:-x}",
		"  UNSET: ${EMPTY-x}",
		"  EMPTYSET: ${EMPTY:-x}",
		"  ALTERNATIVE: ${TAG:+y}",
		"  NONE: ${NOPE:+y}",
		"  NESTED: ${NOPE:-${TAG}}",
		"  BOTH: ${TAG}-${WHO}",
		"  ESCAPED: $${TAG} $$5",
		"  DOLLAR: a$5",
		`  JSON: '{"a": "$TAG", "b": "${NOPE:-${WHO}}"}'`,
		"  PROJECT: ${COMPOSE_PROJECT_NAME}",
		"  GIVEN:",
		"  MISSING:",
		"  FILE: from compose",
		"env_file: [a.env, {path: none.env, required: false}, b.env]",
	}, "\n"))), files{
		"app/.env":  "TAG=from-env\nWHO=env-$TAG\n",
		"app/a.env": "FILE=a\nA=a\nB=a\nREF=${TAG} ${A} ${GIVEN}\nQUOTED='$NOPE'\n",
		"app/b.env": "B=b\n",
	}).request(t)
	req.Values = map[string]string{"TAG": "7", "EMPTY": "", "GIVEN": "host", "UNUSED": "x"}
	a := mustRender(t, req)
	c := container(t, a)
	want := map[string]string{
		"DEFAULT": "x", "UNSET": "", "EMPTYSET": "x", "ALTERNATIVE": "y", "NONE": "", "NESTED": "7",
		"BOTH": "7-env-7", "ESCAPED": "${TAG} $5", "DOLLAR": "a$5", "JSON": `{"a": "7", "b": "env-7"}`, "PROJECT": "shop",
		"GIVEN": "host", "FILE": "from compose", "A": "a", "B": "b", "REF": "7 a host", "QUOTED": "$NOPE",
	}
	if !maps.Equal(c.Environment, want) {
		for k := range want {
			if c.Environment[k] != want[k] {
				t.Errorf("%s = %q, want %q", k, c.Environment[k], want[k])
			}
		}
		t.Errorf("environment %q", c.Environment)
	}
	if c.Image != "nginx:7" {
		t.Errorf("image %s: the host's values win over .env", c.Image)
	}
	if want := []string{"EMPTY", "GIVEN", "TAG"}; !slices.Equal(a.Variables, want) {
		t.Errorf("variables %v, want %v", a.Variables, want)
	}
}

func TestHooksTakeTheHostsValues(t *testing.T) {
	req := web("post_start: [{command: a, environment: [KEY, NOPE, A=b]}]").request(t)
	req.Values = map[string]string{"KEY": "v"}
	a := mustRender(t, req)
	want := map[string]string{"KEY": "v", "A": "b"}
	if got := container(t, a).PostStart[0].Environment; !maps.Equal(got, want) || !slices.Equal(a.Variables, []string{"KEY"}) {
		t.Errorf("%v, variables %v", got, a.Variables)
	}
}

func TestComposeSettingsInDotEnvAreNotSilent(t *testing.T) {
	for text, word := range map[string]string{
		"COMPOSE_PROJECT_NAME=other\n": "name: other",
		"COMPOSE_FILE=x.yaml\n":        "compose:",
		"COMPOSE_PROFILES=debug\n":     "profiles:",
	} {
		mustFail(t, merge(web(""), files{"app/.env": text}).request(t), fault.Rejected, "app/.env", word)
	}
	a := mustRender(t, merge(web(""), files{"app/.env": "COMPOSE_PROJECT_NAME=shop\nCOMPOSE_HTTP_TIMEOUT=9\n"}).request(t))
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "COMPOSE_HTTP_TIMEOUT") {
		t.Errorf("notes %q", a.Notes)
	}
}

func TestEnvFileBombIsRejected(t *testing.T) {
	var text strings.Builder
	text.WriteString("A0=0123456789abcdef\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&text, "A%d=$A%d$A%d\n", i, i-1, i-1)
	}
	for _, f := range []files{
		merge(web("env_file: e"), files{"app/e": text.String()}),
		merge(web(""), files{"app/.env": text.String()}),
	} {
		within(t, func() { mustFail(t, f.request(t), fault.Rejected, "app/", "grow") })
	}
}

func TestRawEnvFilesAreTakenAsTheyAre(t *testing.T) {
	f := merge(web("env_file: [{path: e, format: raw}]"), files{"app/e": "# comment\nA='$NOPE'\n\n  B=a=b \nC\n"})
	c := container(t, mustRender(t, f.request(t)))
	if want := map[string]string{"A": "'$NOPE'", "B": "a=b "}; !maps.Equal(c.Environment, want) {
		t.Errorf("environment %q, want %q", c.Environment, want)
	}
	f["app/e"] = "no name\n"
	mustFail(t, f.request(t), fault.Rejected, "service web", "env_file", "app/e:1")
}

func TestAMissingEnvFileIsAnError(t *testing.T) {
	mustFail(t, web("env_file: gone.env").request(t), fault.Rejected, "app/compose.yaml:4", "service web", "env_file", "app/gone.env", "required: false")
}
