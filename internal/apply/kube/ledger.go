package kube

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
	"unique"
	"weak"

	"syncd.io/syncd/internal/resource"
)

// entry is what is remembered of an object that we have applied: it is as wanted
// for as long as nobody else has taken a field of ours.
//
// The rule: where the hash of what is wanted, the UID and our own entry of
// managedFields are what they were when the object was last found equal, it still
// is. Status churn changes none of them, and each edit of a field that we own
// changes the last.
type entry struct {
	// APIVersion and Kind are those it was applied in.
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	// Want is the hash of what was wanted when it was found equal; empty where it
	// was not.
	Want string `json:"want,omitempty"`
	// Own is the hash of our entry of its managedFields then.
	Own string `json:"own,omitempty"`
	// stored is what the server stored of our own fields then, and fields says which
	// they are; nil where this process has not seen it.
	stored []byte
	fields string
	// Checked is when the server was last asked: defaults and webhooks may change.
	Checked time.Time `json:"checked,omitzero"`
	// Settled tells that it has no health of its own.
	Settled bool `json:"settled,omitempty"`
	// put is when this process has put it; zero where it has not.
	put time.Time
	// remake tells that the next put removes it first: a job that failed.
	remake bool
	// fresh is true until a watch has shown the object as we have put it.
	fresh bool
	// version is the resource version of that put.
	version string
	// generation is that of the last put.
	generation int64
	// naming tells a Deployment's new pods from its old ones; nil for everything else,
	// and where nothing is known of that.
	naming *naming
	// Health is how it felt at resource version HealthAt; on record where it was well.
	Health   resource.Health `json:"health,omitzero"`
	HealthAt string          `json:"healthAt,omitempty"`
}

// awaited tells whether a watch is still to show what was put. One that was begun
// anew meanwhile may never do.
func (e entry) awaited() bool { return e.fresh && time.Since(e.put) < patience }

// onRecord is what another process may go by. What was not well is looked at anew.
func (e entry) onRecord() entry {
	if e.Health.State != resource.Well {
		e.Health, e.HealthAt = resource.Health{}, ""
	}
	return e
}

// recheck is how long an equal object counts as equal without the server being
// asked: what it would store may change with its version, a CRD or a webhook.
const recheck = 6 * time.Hour

// stale tells whether the server is to be asked again. Not all objects at once.
func (e entry) stale(now time.Time) bool {
	spread := time.Duration(0)
	if len(e.UID) > 0 {
		spread = time.Duration(e.UID[len(e.UID)-1]) * time.Minute
	}
	return now.Sub(e.Checked) > recheck+spread
}

// ledger is what is remembered of one app's objects. Several targets of one app
// share it.
type ledger struct {
	mu      sync.Mutex
	entries map[resource.Key]*entry // each in a place of its own: most apps have few
	// ended are the UIDs of what was removed lately, and seen to be gone: a watch may be
	// behind.
	ended map[string]time.Time
	// accounts are in whose names its targets look at the app.
	accounts map[weak.Pointer[Target]]string
	// left hears that something is remembered no more; nil is nobody.
	left func()
	// recalled is true once what a record kept was read.
	recalled bool
}

// recall reads what a record has kept, once: what this process has seen is newer.
func (l *ledger) recall(notes json.RawMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recalled {
		return
	}
	l.recalled = true
	kept := map[resource.Key]*entry{}
	if len(notes) == 0 || json.Unmarshal(notes, &kept) != nil { // of another version: it is learnt anew
		return
	}
	for k, e := range kept {
		if _, seen := l.entries[k]; !seen && e != nil {
			e.APIVersion, e.Kind = unique.Make(e.APIVersion).Value(), unique.Make(e.Kind).Value() // one text for all apps
			l.entries[k] = e
		}
	}
}

// notes are what a record is to keep.
func (l *ledger) notes() json.RawMessage {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return nil
	}
	kept := make(map[resource.Key]entry, len(l.entries))
	for k, e := range l.entries {
		kept[k] = e.onRecord()
	}
	raw, err := json.Marshal(kept)
	if err != nil { // cannot happen: an entry has plain fields only
		return nil
	}
	return raw
}

func (l *ledger) get(key resource.Key) (entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[key]; e != nil {
		return *e, true
	}
	return entry{}, false
}

func (l *ledger) set(key resource.Key, e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[key] = &e
}

// change changes an entry that is there.
func (l *ledger) change(key resource.Key, do func(*entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[key]; e != nil {
		do(e)
	}
}

// caughtUp notes that a watch has shown what was put of an object, or what came
// after it.
func (l *ledger) caughtUp(key resource.Key, uid string, older func(entry) bool) {
	l.change(key, func(e *entry) {
		if e.fresh && e.UID == uid && !older(*e) {
			e.fresh = false
		}
	})
}

// dropKnown forgets an object as it was known; one that was put meanwhile stays.
func (l *ledger) dropKnown(key resource.Key, known entry) {
	defer l.leave()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.entries[key]; now != nil && now.UID == known.UID && now.put.Equal(known.put) {
		delete(l.entries, key)
	}
}

// setSince is set, unless the object was put since then.
func (l *ledger) setSince(key resource.Key, e entry, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.entries[key]; now == nil || !now.put.After(since) {
		l.entries[key] = &e
	}
}

func (l *ledger) drop(key resource.Key) {
	defer l.leave()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
}

// leave tells that something is remembered no more; the lock is not held.
func (l *ledger) leave() {
	if l.left != nil {
		l.left()
	}
}

// endedKept is how long it is remembered that something is gone.
const endedKept = time.Hour

// end forgets an object that is gone.
func (l *ledger) end(key resource.Key, uid string) {
	defer l.leave()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, key)
	maps.DeleteFunc(l.ended, func(_ string, at time.Time) bool { return time.Since(at) > endedKept })
	if l.ended == nil {
		l.ended = map[string]time.Time{}
	}
	l.ended[uid] = time.Now()
}

// isGone tells whether an object was seen to be gone.
func (l *ledger) isGone(uid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, gone := l.ended[uid]
	return gone
}

// besides are the slots that are remembered and not among known, in order.
func (l *ledger) besides(known map[resource.Key]bool) []resource.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []resource.Key
	for key := range l.entries {
		if !known[key] {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, resource.Key.Compare)
	return out
}
