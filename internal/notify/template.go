package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// DraftOp is the operation of the child that answers a Draft with its texts.
const DraftOp = "draft"

// Draft asks for what a template makes of messages.
type Draft struct {
	Template string    `json:"template"`
	About    []Message `json:"about"`
}

// Wording makes a draft's texts, one for each message, in a bounded time. Errors:
// Rejected where the template is to blame.
type Wording func(context.Context, Draft) ([]string, error)

// tried is nil for a template that does, on one fact and on several; also for none.
// Errors: Rejected for one that fails; those of Wording.
func (r route) tried(ctx context.Context) error {
	if r.Template == "" {
		return nil
	}
	var about []Message
	for _, facts := range [][]Told{{sample("shop")}, {sample("shop"), sample("blog")}} {
		about = append(about, Message{Host: "host", Count: len(facts), Facts: facts, Counts: map[string]int{"applied": len(facts)}, Event: "applied", Severity: Info, Title: "title", Text: "text"})
	}
	_, err := r.texts(ctx, about...)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("the template of route %s: %w", r.name, err)
	if fault.Of(err) != fault.Rejected { // it was not tried
		return err
	}
	return fault.Hint(err, "docs/notifications.md lists what a template may use")
}

// sample is a fact to try templates on.
func sample(app string) Told {
	return Told{Event: "applied", Severity: Info, Since: time.Unix(0, 0), Fact: Fact{
		ID: 1, App: app, Owner: "team", Kind: "sync", Outcome: "applied", Who: "jane", Reason: "why", Hint: "hint", Incident: app + "-1", Findings: []string{"one"},
		Revision: Revision{Commit: strings.Repeat("0", 40), Author: "Jane", Subject: "Subject"},
	}}
}

// texts makes the texts of messages by the route's template.
func (r route) texts(ctx context.Context, about ...Message) ([]string, error) {
	texts, err := r.wording(ctx, Draft{Template: r.Template, About: about})
	if err != nil {
		return nil, err
	}
	if len(texts) != len(about) {
		return nil, fmt.Errorf("%d texts were made of %d messages", len(texts), len(about))
	}
	for i, text := range texts {
		if texts[i] = harmless(text); texts[i] == "" {
			return nil, fault.As(fault.Rejected, errors.New("it makes an empty text"))
		}
	}
	return texts, nil
}

// lineOfText bounds one line of a text, in bytes.
const lineOfText = 16 << 10

// harmless is a text of several lines without control characters; blank lines and
// indentation stay.
func harmless(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines = append(lines, indent+resource.Harmless(line, lineOfText))
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
