package show_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// texts are all texts that people see, by the name of their golden file.
func texts(s show.Style) map[string]string {
	return map[string]string{
		"status.txt":   s.Status(status()),
		"plan.txt":     s.Plan(previews()),
		"gates.txt":    s.Plan(handed()),
		"gates.md":     show.Markdown(handed()),
		"plan.md":      show.Markdown(previews()),
		"history.txt":  s.History(history(), 20),
		"words.txt":    s.History(words(), 3),
		"away.txt":     s.Status(away()),
		"mirrors.txt":  s.Status(mirrored()),
		"bundles.txt":  s.Status(brought()),
		"shadow.txt":   s.Status(shadow()),
		"serving.txt":  s.Status(gateStatus()),
		"asking.txt":   s.Results(asking()),
		"results.txt":  s.Results(results()),
		"logs.txt":     s.Logs(logs()),
		"explain.txt":  s.Explanation(reconcile.Explanation{App: "shop", Lines: []string{"shop is Synced.", hostile}, Actor: "nobody", Type: []string{"syncd plan shop"}}),
		"problem.txt":  s.Problem(fault.Hint(errors.New("compose.yaml:3: "+hostile), "mend it")),
		"board.txt":    strings.Join(board(s).Lines(), "\n") + "\n",
		"events.txt":   eventLines(),
		"unknown.txt":  s.Status(reconcile.Status{}),
		"untouched.md": show.Markdown(nil),
	}
}

func TestTextsAreWhatAPersonHasRead(t *testing.T) {
	for name, got := range texts(style()) {
		t.Run(name, func(t *testing.T) { golden(t, name, got) })
	}
}

func TestNothingFromOutsideSteersATerminal(t *testing.T) {
	harmless := regexp.MustCompile(`^[^\x00-\x09\x0b-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}]*$`)
	for name, got := range texts(style()) {
		if !harmless.MatchString(got) {
			t.Errorf("%s holds control characters: %q", name, got)
		}
	}
}

func TestColoursAreTheOnlyDifferenceOnATerminal(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9]*m")
	coloured := style()
	coloured.Colour = true
	plain := texts(style())
	for name, got := range texts(coloured) {
		if strings.HasSuffix(name, ".md") && got != plain[name] {
			t.Errorf("%s has colours", name)
		}
		if escape.ReplaceAllString(got, "") != plain[name] {
			t.Errorf("%s with colours is another text:\n%s", name, got)
		}
	}
	if !escape.MatchString(texts(coloured)["status.txt"]) {
		t.Error("status has no colours")
	}
}

// TestMarkdownFencesHold reads the comment as a forge does, roughly: what stands
// outside code must not have a character of what the hostile subject brought.
func TestMarkdownFencesHold(t *testing.T) {
	text := show.Markdown(previews())
	fences := regexp.MustCompile("(?ms)^(```+)[a-z]*\n.*?\n(```+)\n")
	outside := fences.ReplaceAllStringFunc(text, func(block string) string {
		m := fences.FindStringSubmatch(block)
		if m[1] != m[2] {
			t.Errorf("a fence ends early: %q", block)
		}
		return ""
	})
	for line := range strings.Lines(outside) {
		if rest := withoutSpans(line); strings.ContainsAny(rest, "`@") || strings.Contains(rest, "<b>") {
			t.Errorf("outside of code stands %q", rest)
		}
	}
}

// withoutSpans removes code spans: a run of backticks to the next of its length.
func withoutSpans(line string) string {
	ticks := regexp.MustCompile("`+")
	for {
		open := ticks.FindStringIndex(line)
		if open == nil {
			return line
		}
		width, end := open[1]-open[0], -1
		for _, loc := range ticks.FindAllStringIndex(line[open[1]:], -1) {
			if loc[1]-loc[0] == width {
				end = open[1] + loc[1]
				break
			}
		}
		if end < 0 {
			return line
		}
		line = line[:open[0]] + line[end:]
	}
}
