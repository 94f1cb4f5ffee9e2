package notify

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// textBound is how much a template may write, in bytes.
const textBound = 16 << 10

// templateOf reads a route's template and tries it, on one fact and on several; nil
// where there is none. The error is Rejected.
func templateOf(r route) (*template.Template, error) {
	if r.Template == "" {
		return nil, nil
	}
	made, err := template.New(r.name).Funcs(template.FuncMap{"join": strings.Join, "upper": strings.ToUpper, "short": short}).Option("missingkey=error").Parse(r.Template)
	for _, facts := range [][]Told{{sample("shop")}, {sample("shop"), sample("blog")}} {
		if err == nil {
			_, err = execute(made, Message{Host: "host", Count: len(facts), Facts: facts, Counts: map[string]int{"applied": len(facts)}, Event: "applied", Severity: Info, Title: "title", Text: "text"})
		}
	}
	if err != nil {
		return nil, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("the template of route %s: %w", r.name, err)), "docs/notifications.md lists what a template may use")
	}
	return made, nil
}

// sample is a fact to try templates on.
func sample(app string) Told {
	return Told{Event: "applied", Severity: Info, Since: time.Unix(0, 0), Fact: Fact{
		ID: 1, App: app, Owner: "team", Kind: "sync", Outcome: "applied", Who: "jane", Reason: "why", Hint: "hint", Incident: app + "-1", Findings: []string{"one"},
		Revision: Revision{Commit: strings.Repeat("0", 40), Author: "Jane", Subject: "Subject"},
	}}
}

func short(commit string) string { return Revision{Commit: commit}.Short() }

// execute makes the text of a message; a template that panics, or goes on for ever,
// is one that fails.
func execute(t *template.Template, m Message) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panics: %v", r)
		}
	}()
	var out bounded
	if err := t.Execute(&out, m); err != nil {
		return "", err
	}
	text = harmless(out.String())
	if text == "" {
		return "", errors.New("it makes an empty text")
	}
	return text, nil
}

// bounded takes so much and no more.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > textBound {
		return 0, fmt.Errorf("it makes more than %d bytes", textBound)
	}
	return b.Buffer.Write(p)
}

// harmless is a text of several lines without control characters; blank lines and
// indentation stay.
func harmless(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines = append(lines, indent+resource.Harmless(line, textBound))
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// bound cuts text to limit bytes, at a character's border.
func bound(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}
