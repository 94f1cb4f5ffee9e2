package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// acceptRewrite lets a revision be followed that is refused, on a person's word. It
// waits for no app: the word is on record with the revision, once for all of them, and
// is read into the history of each.
func (a *Agent) acceptRewrite(ctx context.Context, req SyncRequest) error {
	doing := "accept revision " + fmt.Sprintf("%.40q", req.AcceptRewrite)
	remotes, ok := a.opts.Source.(Remotes)
	if !ok {
		return fault.As(fault.Rejected, errors.New(doing+": nothing is ever refused here"))
	}
	if a.opts.ReadOnly {
		return fault.Hint(fault.As(fault.Blocked, errors.New(doing+": this agent is read-only")), "run it without --read-only")
	}
	_, _ = a.look(ctx) // it finds out what each remote has; what comes of it is asked for next
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	by := req.word()
	commit, err := a.overrule(ctx, remotes, req.AcceptRewrite, by)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	a.hear(Event{Text: fmt.Sprintf("revision %.10s is accepted by %s: %s", commit, by.Who, by.Reason)})
	return nil
}

// overrule puts a person's word between two looks at the repository: one under way goes
// by what was accepted before, and would accept that anew.
func (a *Agent) overrule(ctx context.Context, remotes Remotes, digits string, by source.Word) (commit string, err error) {
	if err := take(ctx, a.looking); err != nil {
		return "", err
	}
	defer func() { <-a.looking }()
	return remotes.AcceptRewrite(digits, by)
}

// rewritten is why an accepted revision had to be accepted by somebody.
const rewritten = "a history that does not follow from what was accepted before"

// word is what the history says of whoever accepts a revision.
func (r SyncRequest) word() source.Word {
	by := source.Word{Who: cmp.Or(r.Who, "somebody"), Reason: rewritten}
	if reason := strings.TrimSpace(resource.Harmless(r.Reason, maxReason)); reason != "" {
		by.Reason = reason + " (" + rewritten + ")"
	}
	return by
}
