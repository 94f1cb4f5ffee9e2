package reconcile

import (
	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// Preview is what a pass would do to one app, and why.
type Preview struct {
	App      string          `json:"app"`
	Revision source.Revision `json:"revision"`
	Report   drift.Report    `json:"report"`
	Plan     apply.Plan      `json:"plan"`
	// Digest is what `approve --plan` wants.
	Digest   string        `json:"digest"`
	Services []ServicePlan `json:"services,omitempty"`
	// Jobs are the one-shots that will run.
	Jobs []string `json:"jobs,omitempty"`
	// Missing are images that are not on the engine and would be pulled.
	Missing []string `json:"missing,omitempty"`
	WayBack WayBack  `json:"wayBack"`
	// Window is what the app's windows say now; nil is that it has none.
	Window *Window  `json:"window,omitempty"`
	Notes  []string `json:"notes,omitempty"`
	// Outcome, Error and Hint say why nothing would be done: rejected, held, blocked.
	Outcome Outcome `json:"outcome,omitempty"`
	Error   string  `json:"error,omitempty"`
	Hint    string  `json:"hint,omitempty"`
}

// ServicePlan is how one service would be changed.
type ServicePlan struct {
	apply.Service
	// Gap is how long a published port or a single instance is expected to be
	// away; 0 where start-first leaves none.
	Gap resource.Duration `json:"gap"`
	// Where is what the gap is of, where it is not the instance: a port that changes
	// hands. Remedy says what closes it, what would, or why nothing does.
	Where  string `json:"where,omitempty"`
	Remedy string `json:"remedy,omitempty"`
	// Gates say what becomes different for the service with a gate that begins, or
	// ends, with this plan.
	Gates []string `json:"gates,omitempty"`
	// Pause is what each old instance that is well stays before its stop, for a
	// proxy in front to notice.
	Pause resource.Duration `json:"pause,omitempty"`
	// Memory is what start-first needs meanwhile, Free what the host has; bytes.
	Memory int64 `json:"memory,omitempty"`
	Free   int64 `json:"free,omitempty"`
}

// WayBack says whether the change could be undone.
type WayBack struct {
	// Good is the revision that a rollback would put back; zero where there is none.
	Good source.Revision `json:"good,omitzero"`
	// Unseen tells that nobody can say whether its images can still be had: a
	// cluster's nodes fetch them.
	Unseen bool `json:"unseen,omitempty"`
	// Missing are its images that are no longer on the engine.
	Missing []string `json:"missing,omitempty"`
}

// Differs tells whether there is anything to do.
func (p Preview) Differs() bool {
	return !p.Plan.Empty() || len(p.Plan.Blocked)+len(p.Plan.Consents) > 0 || p.Error != ""
}
