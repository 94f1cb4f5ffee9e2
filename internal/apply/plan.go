package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// Request is what a plan is made from. Pairs and Report belong together.
type Request struct {
	Pairs  []resource.Pair
	Report drift.Report
	// AwaitAll also awaits what needs no change: while a revision is not yet
	// good, in sync is not healthy.
	AwaitAll bool
	// Trial says that the set has never been good: a canary tries it first.
	Trial bool
	// Back is a rollback: groups go in reverse order, by their rollback policy,
	// and no job runs.
	Back bool
	// Prune removes what is ours and no longer wanted.
	Prune bool
	// Consented allows the removals that take data with them.
	Consented bool
	// Undo leaves alone what was live before the attempt (Before): a way back that
	// nobody asked for removes only what the attempt has made.
	Undo bool
	// Before is the health of the live slots before the attempt's first put.
	Before map[resource.Key]resource.Health
	// Run are on-demand jobs to run before anything is put back
	// (jobs.NAME.onRollback: run).
	Run []string
}

// Plan is a decision as data: what to do, in which order, and why.
type Plan struct {
	Steps []Step `json:"steps"`
	// Services says for each group how it changes.
	Services []Service `json:"services,omitempty"`
	// Consents are removals that wait for a person's word.
	Consents []string `json:"consents,omitempty"`
	// Blocked are the reasons why the plan has no steps at all.
	Blocked []string `json:"blocked,omitempty"`
	// Notes are what a reader should know besides.
	Notes []string `json:"notes,omitempty"`
}

// How says in which way a group changes.
type How string

// The ways, from gentle to rough.
const (
	Unchanged     How = "unchanged"
	InPlace       How = "in place"
	Fresh         How = "new"
	HowStartFirst How = "start-first"
	HowStopFirst  How = "stop-first"
	RunOnce       How = "runs once"
	Restarted     How = "restart"
	MadeAnew      How = "made anew"
	Gone          How = "removed"
)

// Service is the story of one group in a plan.
type Service struct {
	Group string `json:"group"`
	How   How    `json:"how"`
	// Why is the reason for How: what forbids start-first, or what asked for it.
	Why string `json:"why,omitempty"`
	// Slots is how many instances change, of Of wanted.
	Slots int `json:"slots"`
	Of    int `json:"of"`
	// Canary is the trial that its first batch goes through; nil without one.
	Canary *resource.Canary `json:"canary,omitempty"`
	// Changes are the fields of its first changed slot.
	Changes []drift.Change `json:"changes,omitempty"`
}

// Empty tells whether nothing would be put, stopped or removed (awaits only
// look).
func (p Plan) Empty() bool {
	for _, s := range p.Steps {
		if s.Verb != Await {
			return false
		}
	}
	return true
}

// Touches tells whether the plan puts, stops or removes something in slot key.
func (p Plan) Touches(key resource.Key) bool {
	for _, s := range p.Steps {
		if s.Verb != Await && s.Key == key {
			return true
		}
	}
	return false
}

// Digest identifies what the printed plan does and asks for; consent is bound to
// it. What is only awaited is no part of it: that follows from how the containers
// feel just now.
func (p Plan) Digest() string {
	sum := sha256.New()
	for _, s := range p.Steps {
		if s.Verb != Await {
			fmt.Fprintf(sum, "%s %s %s\n", s.Verb, s.Key, s.Cause)
		}
	}
	fmt.Fprintf(sum, "%q %q", p.Consents, p.Blocked)
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
