package reconcile

import (
	"context"
	"time"

	"syncd.io/syncd/internal/state"
)

// The requests of the agent's verbs. Who is the person that asks, as the
// caller knows them: an operating system user, an API client.

// SyncRequest asks for one pass of the named apps; of all where none is named.
type SyncRequest struct {
	Apps []string `json:"apps,omitempty"`
	Who  string   `json:"who"`
	// Force goes through closed windows; Reason says why, for the history, or why
	// AcceptRewrite.
	Force  bool   `json:"force,omitempty"`
	Reason string `json:"reason,omitempty"`
	// AcceptRewrite names, by its first digits, a revision to follow that is refused
	// because it is older than what was accepted, or has another history.
	AcceptRewrite string `json:"acceptRewrite,omitempty"`
}

// PlanRequest asks what a pass would do. Ref is a branch, tag or commit to look
// at instead of the followed one; Dir a local directory instead of Git.
type PlanRequest struct {
	Apps []string `json:"apps,omitempty"`
	Ref  string   `json:"ref,omitempty"`
	Dir  string   `json:"dir,omitempty"`
}

// ActRequest is a person's word about one app.
type ActRequest struct {
	App string `json:"app"`
	Who string `json:"who"`
	// Plan is the digest that is approved; for verbs that show first what they would
	// do, that of what was shown.
	Plan string `json:"plan,omitempty"`
	// Revision is what to roll back to; empty is the one before the good one.
	Revision string `json:"revision,omitempty"`
	// Reason and Until belong to a pause.
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	// Services are those whose gates are meant; none is all of the app's.
	Services []string `json:"services,omitempty"`
	// Confirm lets adopt, release and the verbs of gates act; without it they only
	// say what they would do.
	Confirm bool `json:"confirm,omitempty"`
}

// ActResult is what came of it.
type ActResult struct {
	// Text says in a few lines what was done, or would be.
	Text string `json:"text"`
	// Result is the pass that followed, where one did.
	Result *Result `json:"result,omitempty"`
	// Preview is what the pass would change that adopt, or a port that changes
	// hands, asks for.
	Preview *Preview `json:"preview,omitempty"`
	// Digest is that of what Text says would be done, where there is no preview.
	Digest string `json:"digest,omitempty"`
	// Idle tells that there is nothing to do, and nobody to ask.
	Idle bool `json:"idle,omitempty"`
	// Renewed are the gates that were renewed, in order.
	Renewed []RenewedGate `json:"renewed,omitempty"`
}

// Explanation says why an app is as it is, who has to act, and what to type.
type Explanation struct {
	App   string   `json:"app"`
	Lines []string `json:"lines"`
	Actor string   `json:"actor"` // nobody, the author, an operator
	Type  []string `json:"type,omitempty"`
}

// Asker answers questions; nothing that it does changes anything.
type Asker interface {
	AppAsker
	Status(ctx context.Context, apps []string) (Status, error)
	Plan(ctx context.Context, req PlanRequest) ([]Preview, error)
}

// AppAsker answers questions about one app.
type AppAsker interface {
	History(ctx context.Context, app string, limit int) ([]state.Entry, error)
	Logs(ctx context.Context, app, revision string) ([]state.FailedLog, error)
	Explain(ctx context.Context, app string) (Explanation, error)
	Rendered(ctx context.Context, app string) ([]byte, error)
}

// Actor carries out what a person asks for. Verb is one of approve, rollback,
// retry, pause, resume, adopt, release, gate-enable, gate-release, gate-upgrade.
type Actor interface {
	Sync(ctx context.Context, req SyncRequest, hear func(Event)) ([]Result, error)
	Act(ctx context.Context, verb string, req ActRequest, hear func(Event)) (ActResult, error)
}
