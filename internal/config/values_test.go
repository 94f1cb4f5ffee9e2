package config

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLaterEnvFilesWinAndAllWinOverVars(t *testing.T) {
	one, two := write(t, "A=one\nB=one\n"), write(t, "B=two\n")
	h := HostInfo{Vars: map[string]string{"A": "var", "C": "var"}, EnvFiles: []string{one, two}}
	values, secret, _, err := Values(h)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"A": "one", "B": "two", "C": "var"}; !reflect.DeepEqual(values, want) {
		t.Errorf("values %v, want %v", values, want)
	}
	if want := []string{"A", "B"}; !reflect.DeepEqual(secret, want) {
		t.Errorf("secret %v, want %v", secret, want)
	}
	if h.Vars["A"] != "var" {
		t.Error("the configuration was changed")
	}
}

func TestTheAgentsEnvironmentIsNeverAValue(t *testing.T) {
	t.Setenv("SYNCDTEST_LEAK", "hunter2")
	values, _, _, err := Values(HostInfo{})
	if err != nil || len(values) != 0 {
		t.Errorf("values %v, %v; want none", values, err)
	}
	if _, _, _, err := Values(HostInfo{EnvFiles: []string{write(t, "SYNCDTEST_LEAK\n")}}); err == nil {
		t.Error("a name without a value was taken from the environment")
	}
}

func TestHashChangesWithEveryInputOnly(t *testing.T) {
	path := write(t, "A=1\n")
	hash := func(h HostInfo) string {
		t.Helper()
		_, _, sum, err := Values(h)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	base := HostInfo{Vars: map[string]string{"X": "1", "Y": "2"}, EnvFiles: []string{path}}
	first := hash(base)
	if again := hash(HostInfo{Name: "other", Vars: map[string]string{"Y": "2", "X": "1"}, EnvFiles: []string{path}}); again != first {
		t.Error("the same values gave another hash")
	}
	seen := map[string]string{first: "base"}
	for name, h := range map[string]HostInfo{
		"var value": {Vars: map[string]string{"X": "1", "Y": "3"}, EnvFiles: base.EnvFiles},
		"shifted":   {Vars: map[string]string{"X": "1Y", "": "2"}, EnvFiles: base.EnvFiles},
		"no file":   {Vars: base.Vars},
		"no vars":   {EnvFiles: base.EnvFiles},
	} {
		sum := hash(h)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[sum] = name
	}
	if err := os.WriteFile(path, []byte("A=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if hash(base) == first {
		t.Error("the file's content is not in the hash")
	}
}

// No revision is to blame for a host's own file: it blocks, and never rejects.
func TestBadEnvFilesBlock(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{"missing": filepath.Join(dir, "none"), "directory": dir, "large": write(t, strings.Repeat("#", maxFile+1)), "malformed": write(t, "A\n")} {
		values, _, _, err := Values(HostInfo{EnvFiles: []string{path}})
		if fault.Of(err) != fault.Blocked || fault.Advice(err) == "" || !strings.Contains(err.Error(), path) || values != nil {
			t.Errorf("%s: %v (hint %q, class %s)", name, err, fault.Advice(err), fault.Of(err))
		}
	}
}

func TestDotenv(t *testing.T) {
	text := "\ufeff# comment\n\nA=1\r\nexport B = two words  # comment\nC='$as ${it} # is\\n'\nD=\"x\\ty\\\"\\$Z\\\\\" # c\nE=\n  F=a#b\nG='-----BEGIN\nline\n'\nH=\"p\nq\"\nI=pa$1 $\nJ=a=b\nK=#none\nL=\\n"
	want := map[string]string{
		"A": "1", "B": "two words", "C": "$as ${it} # is\\n", "D": "x\ty\"$Z\\", "E": "", "F": "a#b",
		"G": "-----BEGIN\nline\n", "H": "p\nq", "I": "pa$1 $", "J": "a=b", "K": "", "L": "\\n",
	}
	got, err := parseDotenv([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDotenvRefusesByLineAndNeverByValue(t *testing.T) {
	for name, c := range map[string]struct {
		text, want string
		line       int
	}{
		"no equals":     {"A=1\nhunter2\n", "there is no = on this line", 2},
		"bad name":      {"hunter2-x=1\n", "the name before = is not letters, digits and _, not beginning with a digit", 1},
		"empty name":    {"=hunter2\n", "the name before = is not letters, digits and _, not beginning with a digit", 1},
		"twice":         {"A=1\nB='x\ny'\nA=hunter2\n", "A is set twice, first on line 1", 4},
		"open single":   {"A='hunter2\n", "the ' before the value of A is never closed", 1},
		"open double":   {"A=\"hunter2\n", "the \" before the value of A is never closed", 1},
		"after quote":   {"A='x' hunter2\n", "there is text after the closing quote of A", 1},
		"escape":        {"A=\"hunter2\\q\"\n", `the value of A has an unknown escape: want \n, \r, \t, \", \\ or \$`, 1},
		"end in escape": {"A=\"hunter2\\", `the value of A has an unknown escape: want \n, \r, \t, \", \\ or \$`, 1},
		"expansion":     {"A=hunter2${B}\n", "the value of A refers to another variable: nothing is expanded here", 1},
		"in quotes":     {"A=\"hunter2$B\"\n", "the value of A refers to another variable: nothing is expanded here", 1},
		"doubled":       {"A=pa$$hunter2\n", "the value of A refers to another variable: nothing is expanded here", 1},
		"NUL":           {"A=hunter2\x00\n", "the value of A holds a NUL character", 2},
		"not UTF-8":     {"A=1\nB=\xffhunter2\n", "the file is not UTF-8 text", 2},
	} {
		_, err := parseDotenv([]byte(c.text))
		if err == nil || err.text != c.want || err.line != c.line {
			t.Errorf("%s: %+v, want line %d: %s", name, err, c.line, c.want)
			continue
		}
		if strings.Contains(err.text+err.hint, "hunter2") {
			t.Errorf("%s: the message holds the value: %s", name, err.text)
		}
	}
}

// What a line means does not depend on the lines after it.
func TestDotenvJudgesEachValueAlone(t *testing.T) {
	for rest, more := range map[string]map[string]string{
		"":                    {},
		"PASS='a$b'\n":        {"PASS": "a$b"},
		"# set $HOME first\n": {},
		"PASS=\"a\\$b\"\n":    {"PASS": "a$b"},
	} {
		want := map[string]string{"PRICE": "5$", "END": "$ 5$"}
		maps.Copy(want, more)
		got, err := parseDotenv([]byte("PRICE=\"5$\"\nEND=\"$ 5$\"\n" + rest))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("before %q: %q, %+v; want %q", rest, got, err, want)
		}
	}
}
