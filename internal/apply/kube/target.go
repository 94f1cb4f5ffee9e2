package kube

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Target is the place of one app on a cluster.
type Target struct {
	engine *Engine
	app    string
	ledger *ledger

	mu sync.Mutex // guards what the last observation has said
	// account is in whose name the app is applied.
	account string
	// adopted are what a person's word has made ours.
	adopted []resource.Ref
	// looked is as of when the last observation knows what is free.
	looked time.Time
	// want and secrets are what the rest follows from: it is found out once.
	want    []resource.Object
	secrets []string
	// conceal masks what is never shown, wherever the cluster repeats it; nil until
	// there is something to be shown.
	conceal *strings.Replacer
	// scaled are the workloads whose replicas an autoscaler of the app sets.
	scaled map[resource.Key]bool
	// checks are how objects say that they are well, where nobody else can tell.
	checks map[resource.Key]*resource.Check
}

var (
	_ apply.Target = (*Target)(nil)
	_ apply.Noter  = (*Target)(nil)
	_ apply.Teller = (*Target)(nil)
)

// Notes returns what is to be remembered of the app's objects.
func (t *Target) Notes() json.RawMessage { return t.ledger.notes() }

// identity is in whose name the app is applied.
func (t *Target) identity() (*identity, error) {
	t.mu.Lock()
	account := t.account
	t.mu.Unlock()
	return t.engine.as(account)
}

// learn keeps what an observation says of the app.
func (t *Target) learn(want []resource.Object, owned apply.Owned) {
	t.ledger.recall(owned.Notes)
	if t.ledger.actsAs(t, owned.As) {
		t.engine.tidySoon()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.account, t.adopted, t.looked = owned.As, owned.Adopted, time.Now()
	if sameSet(t.want, want) && slices.Equal(t.secrets, owned.Secrets) {
		return
	}
	t.want, t.secrets, t.conceal = want, owned.Secrets, nil
	t.scaled, t.checks = scaledBy(want), checksOf(want)
}

// lookedAt notes that part of the observation is as of then.
func (t *Target) lookedAt(asOf time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if asOf.Before(t.looked) {
		t.looked = asOf
	}
}

// sameSet tells whether two sets are one and the same: sets are never changed once
// they are made.
func sameSet(a, b []resource.Object) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// checksOf are the checks of those objects that have one.
func checksOf(want []resource.Object) map[resource.Key]*resource.Check {
	var out map[resource.Key]*resource.Check
	for _, o := range want {
		if o.Check == nil {
			continue
		}
		if out == nil {
			out = map[resource.Key]*resource.Check{}
		}
		out[o.Key] = o.Check
	}
	return out
}

func (t *Target) checkOf(key resource.Key) *resource.Check {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.checks[key]
}

func (t *Target) isScaled(key resource.Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.scaled[key]
}
