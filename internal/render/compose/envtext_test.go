package compose

import (
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"syncd.io/syncd/internal/fault"
)

// Only a reference whose value is used and that has none is an error.
func TestAnEnvFileIsJudgedByItsValues(t *testing.T) {
	for name, c := range map[string]struct{ text, key, want string }{
		"a comment":             {"# set $LEVEL to debug\nL=${LEVEL:-info}\n", "L", "info"},
		"a comment behind":      {"L=${LEVEL:-info} # or $LEVEL\n", "L", "info"},
		"given later":           {"A=${B:-x}\nB=1\nC=$B\n", "C", "1"},
		"single quotes":         {"A='$NOPE ${NOPE}'\nB=${NOPE-}\n", "A", "$NOPE ${NOPE}"},
		"escaped":               {`A="\$NOPE \${NOPE} $$NOPE"` + "\nB=${NOPE-}\n", "A", "$NOPE ${NOPE} $NOPE"},
		"an escaped backslash":  {`A="\\$GIVEN"` + "\n", "A", `\given`},
		"an escaped quote":      {`A="\"$GIVEN\" '$GIVEN'"` + "\n", "A", `"given" 'given'`},
		"several lines":         {"A=\"one # $GIVEN\ntwo $GIVEN\"\nB=2\n", "A", "one # given\ntwo given"},
		"an apostrophe":         {"A=it's $GIVEN\nB='$NOPE'\n", "A", "it's given"},
		"export and a colon":    {"export A: $GIVEN\n", "A", "given"},
		"a name without value":  {"GIVEN\nA=$GIVEN\n", "GIVEN", "given"},
		"a BOM":                 {"\ufeffA=$GIVEN\n", "A", "given"},
		"Windows line ends":     {"A=$GIVEN\r\n# $NOPE\r\nB=${NOPE-}\r\n", "A", "given"},
		"an unquoted backslash": {`A=\$GIVEN` + "\n", "A", `\given`},
		"no end":                {"A=$GIVEN", "A", "given"},
	} {
		t.Run(name, func(t *testing.T) {
			req := merge(web("env_file: e"), files{"app/e": c.text}).request(t)
			req.Values = map[string]string{"GIVEN": "given"}
			if got := container(t, mustRender(t, req)).Environment[c.key]; got != c.want {
				t.Errorf("%s = %q, want %q", c.key, got, c.want)
			}
		})
	}
	for name, text := range map[string]string{
		"plain":             "A=$NOPE\n",
		"braces":            "A=${NOPE}\n",
		"double quotes":     "A=\"x $NOPE\"\n",
		"in a default":      "A=${B:-$NOPE}\n",
		"given later":       "A=$NOPE\nNOPE=1\n",
		"behind a comment":  "# it's\nA=$NOPE\n",
		"behind a quote":    "A='x'\nB=$NOPE\n",
		"a hash in a value": "A=x#$NOPE\n",
		"escaped backslash": `A="\\$NOPE"` + "\n",
		"behind several":    "A=\"one\ntwo\"\nB=$NOPE\n",
	} {
		t.Run(name+" without a value", func(t *testing.T) {
			req := merge(web("env_file: e"), files{"app/e": text}).request(t)
			mustFail(t, req, fault.Rejected, "app/compose.yaml:4", "service web", "env_file", "app/e", "the variable NOPE has no value", "host.vars")
		})
	}
}

// FuzzStrictEnv: a file means the same as compose-go reads it, as long as every
// reference has a value.
func FuzzStrictEnv(f *testing.F) {
	f.Add("A=1\n# $B\nexport C: \"x $A \\\" ${A}\"\n'D'='$A' # $A\n")
	f.Add("A=it's $A # b\nB=\"one\n$A\"\r\nC")
	f.Fuzz(func(t *testing.T, text string) {
		if work, nested := templateWork(text); work > 1<<16 || nested > maxNested {
			return
		}
		lookup := func(string) (string, bool) { return "v", true }
		want, err := dotenv.ParseWithLookup(strings.NewReader(text), lookup)
		if err != nil {
			return
		}
		got, err := dotenv.ParseWithLookup(strings.NewReader(newVariables(nil).strictEnv(text)), lookup)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%q: %q, %v, want %q", text, got, err, want)
		}
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%q: %s = %q, want %q", text, name, got[name], want[name])
			}
		}
	})
}
