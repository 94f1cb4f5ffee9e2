// Package state is what syncd remembers: one record per app, its history, and
// the sealed object sets that a rollback needs.
package state

import (
	"cmp"
	"encoding/json"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// Record is what is remembered of one app. It is owned by one goroutine.
type Record struct {
	App string `json:"app"`
	// Dir is the app's directory in the repository when it was last seen.
	Dir string `json:"dir"`
	// Good is the last set that passed its soak; nil before the first.
	Good *Set `json:"good,omitempty"`
	// Attempt is the change under way, written before the first put; nil when
	// none is.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Quarantine are the digests that failed and stay out.
	Quarantine []Quarantined `json:"quarantine,omitempty"`
	// Done are the input hashes of jobs that exited 0, with the time.
	Done map[string]time.Time `json:"done,omitempty"`
	// Paused and Held stop the loop from applying new revisions.
	Paused *Pause `json:"paused,omitempty"`
	Held   *Hold  `json:"held,omitempty"`
	// Approvals are the consents that were given, by plan digest.
	Approvals []Approval `json:"approvals,omitempty"`
	// Adopted are instances that were taken over and carry no label of ours.
	Adopted []resource.Ref `json:"adopted,omitempty"`
	// HostDir is where an adopted project's relative binds live.
	HostDir string `json:"hostDir,omitempty"`
	// Released says that the app was handed back and is left alone.
	Released bool `json:"released,omitempty"`
	// Past are older good sets, newest first, as many as rollback.keep says.
	Past []Set `json:"past,omitempty"`
	// Last is the verdict of the last pass.
	Last Verdict `json:"last,omitzero"`
	// Waits is the digest that waits for a window, as it was told; empty where none is.
	Waits string `json:"waits,omitempty"`
	// Images are the pins of images that came from a registry for this app: only
	// these are ever pruned.
	Images []string `json:"images,omitempty"`
	// Remains are the mounts of a failed set whose containers stay for inspection.
	Remains []string `json:"remains,omitempty"`
	// Halted says why the app stands still until a person acts; empty when not.
	Halted string `json:"halted,omitempty"`
	// Restarts are the times at which unhealthy instances were restarted.
	Restarts map[string][]time.Time `json:"restarts,omitempty"`
	// Restarting are objects that syncd itself may have stopped to restart them: until
	// they are as wanted, that is no drift.
	Restarting []resource.Key `json:"restarting,omitempty"`
	// Target is what the target asked to be remembered of the app's objects.
	Target json.RawMessage `json:"target,omitempty"`
	// As is the ServiceAccount (NAMESPACE/NAME) that the app was applied as last:
	// also what is left of one whose settings are gone is looked after in its name.
	As string `json:"as,omitempty"`
	// Owner is the app's owner, as its settings said last.
	Owner string `json:"owner,omitempty"`
	// Sync is what the app's settings said last of what may be done without being
	// asked: one whose settings are broken or gone keeps it.
	Sync config.Sync `json:"sync,omitzero"`
	// Drift is what they said last of differences.
	Drift config.Drift `json:"drift,omitzero"`
	// Incident is the drift that is open; nil where there is none. Incidents counts all
	// there ever were of the app.
	Incident  *Incident `json:"incident,omitempty"`
	Incidents int       `json:"incidents,omitempty"`
	// Looked tells that the target was looked at since syncd changed it last, Left what
	// that found to be left over: it stays without being drift.
	Looked bool           `json:"looked,omitempty"`
	Left   []resource.Key `json:"left,omitempty"`
	// Mended are the repairs of drift that count still.
	Mended Mended `json:"mendings,omitempty"`
}

// Verdict is how the last pass ended; it changes only when what it says does.
type Verdict struct {
	Outcome  string          `json:"outcome"`
	Reason   string          `json:"reason,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Revision source.Revision `json:"revision,omitzero"`
	// Says is the reason without what moves while it stays as it is: values, counters,
	// outputs. Empty is the reason itself.
	Says string `json:"says,omitempty"`
	// Cause is a word for what stands in the way, where there is one: window, dependency.
	Cause string `json:"cause,omitempty"`
	// Consents wait for a person's word, given to the plan with this digest.
	Consents []string `json:"consents,omitempty"`
	Plan     string   `json:"plan,omitempty"`
	// Since is when it first ended so.
	Since time.Time `json:"since,omitzero"`
}

// SaysAs tells whether two verdicts say the same. An older agent kept the reason alone.
func (v Verdict) SaysAs(other Verdict) bool {
	return v.Reason == other.Reason || cmp.Or(v.Says, v.Reason) == cmp.Or(other.Says, other.Reason)
}

// Set is one complete desired state of an app, sealed on disk: what a rollback
// puts back with Git and registry down.
type Set struct {
	Revision source.Revision `json:"revision"`
	// Digest is that of the rendered objects, before pinning.
	Digest string `json:"digest"`
	// Inputs is the hash of what the rendering read.
	Inputs string `json:"inputs"`
	// Paths are the repository paths that the rendering read, Variables the names
	// of the host's values that it used.
	Paths     []string `json:"paths,omitempty"`
	Variables []string `json:"variables,omitempty"`
	// Objects are pinned.
	Objects []resource.Object `json:"objects"`
	// Mounts are the hashes below the mounts directory that the objects use.
	Mounts []string  `json:"mounts,omitempty"`
	Since  time.Time `json:"since"`
}

// Attempt is a set on its way.
type Attempt struct {
	Set Set `json:"set"`
	// Started is when the record was written; Ready when every object was put
	// and healthy and the soak began (zero before).
	Started time.Time `json:"started"`
	Ready   time.Time `json:"ready,omitzero"`
	// Before is the health of every live slot before the first put.
	Before map[resource.Key]resource.Health `json:"before,omitempty"`
	// Back is true for a rollback: it is never rolled back itself.
	Back bool `json:"back,omitempty"`
	// Failed and Reason say why a rollback runs, so that a crash does not lose it.
	Failed *Quarantined `json:"failed,omitempty"`
	// Ran are the jobs that this attempt ran to exit 0.
	Ran []string `json:"ran,omitempty"`
	// Run are the jobs that a rollback runs, With their objects where the good
	// set has none.
	Run  []string          `json:"run,omitempty"`
	With []resource.Object `json:"with,omitempty"`
	// Hold is set for a rollback that a person asked for.
	Hold *Hold `json:"hold,omitempty"`
}

// Quarantined is a digest that failed.
type Quarantined struct {
	Digest   string          `json:"digest"`
	Inputs   string          `json:"inputs"`
	Revision source.Revision `json:"revision"`
	Class    string          `json:"class"`
	Reason   string          `json:"reason"`
	At       time.Time       `json:"at"`
}

// Pause is a person's word that the app is left alone.
type Pause struct {
	Who    string    `json:"who"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// Until is when it ends by itself; zero is never.
	Until time.Time `json:"until,omitzero"`
}

// Hold is a manual rollback: it lasts until the app's input changes or a person
// resumes.
type Hold struct {
	Who string `json:"who"`
	// Inputs is the input hash that is held off.
	Inputs string    `json:"inputs"`
	At     time.Time `json:"at"`
	// Commit is what was rolled back to.
	Commit string `json:"commit"`
}

// Approval is consent to what one printed plan said.
type Approval struct {
	Plan string    `json:"plan"`
	Who  string    `json:"who"`
	At   time.Time `json:"at"`
}

// Entry is one line of history: a pass that changed something or began to, drift
// that came or went, or a person's act. History is append-only and bounded.
type Entry struct {
	ID uint64 `json:"id"`
	// App is whose it is; empty for what concerns the agent as a whole.
	App string    `json:"app"`
	At  time.Time `json:"at"`
	// Kind is sync, repair, drift, window or source; or a person's act: rollback,
	// pause, resume, approve, retry, adopt, release, force, accept.
	Kind string `json:"kind"`
	Who  string `json:"who,omitempty"`
	// Owner is the app's owner, as its settings name them.
	Owner    string          `json:"owner,omitempty"`
	Revision source.Revision `json:"revision"`
	Digest   string          `json:"digest,omitempty"`
	Outcome  string          `json:"outcome"`
	Reason   string          `json:"reason,omitempty"`
	// Says is the reason without what moves while it stays as it is, and without what was
	// done meanwhile. Empty is the reason itself.
	Says string `json:"says,omitempty"`
	// Still tells that the app stands as it stood, which is no news: the line is there
	// for what was done meanwhile.
	Still bool `json:"still,omitempty"`
	// Hint is what a person can do about it.
	Hint string `json:"hint,omitempty"`
	// Incident names the drift that it is about, as IncidentID does, Findings what
	// differs, one line each, masked. More counts the objects that no line names.
	Incident string   `json:"incident,omitempty"`
	Findings []string `json:"findings,omitempty"`
	More     int      `json:"more,omitempty"`
	// Steps are the plan's lines, the first ones of them; none where it changes nothing.
	Steps []string `json:"steps,omitempty"`
	// Gaps say who was missed for how long meanwhile.
	Gaps []string `json:"gaps,omitempty"`
	// Duration is how long the pass took, or the drift lasted.
	Duration resource.Duration `json:"duration"`
	// Images are reference -> pin.
	Images map[string]string `json:"images,omitempty"`
}

// FailedLog is what was kept of a failed instance.
type FailedLog struct {
	App      string          `json:"app"`
	Revision source.Revision `json:"revision"`
	Slot     resource.Key    `json:"slot"`
	Ref      resource.Ref    `json:"ref"`
	At       time.Time       `json:"at"`
	Reason   string          `json:"reason"`
	Lines    []string        `json:"lines"`
}
