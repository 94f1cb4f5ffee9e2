package resource

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// hashVersion is part of every hash: when the way of hashing changes, hashes of
// the old way are recognised as such and never taken for a difference.
const hashVersion = "1"

// Object is one desired thing. Its spec is canonical JSON: one form is hashed,
// stored for rollback, diffed as a tree, and decoded by its adapter.
type Object struct {
	Key Key `json:"key"`
	// Group is what is rolled out together: a Compose service, or a wave.
	Group string          `json:"group,omitempty"`
	Spec  json.RawMessage `json:"spec"`
	// Needs are what must hold in other groups before this object is put.
	Needs []Need `json:"needs,omitempty"`
	// Once marks a job: it runs to its end once per input hash.
	Once bool `json:"once,omitempty"`
	// Claims are what an instance of this object holds alone.
	Claims []Claim `json:"claims,omitempty"`
	// Refs are slots whose Ref the adapter puts into the spec at put
	// (network_mode: service:x needs an ID that exists only then).
	Refs []Key `json:"refs,omitempty"`
	// Policy is how its group rolls out, Rollback how it rolls back.
	Policy   Policy `json:"policy"`
	Rollback Policy `json:"rollback"`
	// Sensitive are JSON pointers into Spec whose values are never shown.
	Sensitive []string `json:"sensitive,omitempty"`
	// Job is what to do about a job that changed data; nil where Once is false.
	Job *Job `json:"job,omitempty"`
	// Check says how to tell whether it is healthy, where the target cannot know;
	// nil where it can.
	Check *Check `json:"check,omitempty"`
}

// Job is the rollback policy of a one-shot.
type Job struct {
	// OnRollback is what a rollback does after this job ran in the failed
	// attempt: halt (the default), keep, or run.
	OnRollback OnRollback `json:"onRollback,omitempty"`
	// Run is the service that OnRollback run starts.
	Run string `json:"run,omitempty"`
	// Before is the service (a backup) that runs before this job does.
	Before string `json:"before,omitempty"`
	// OnDemand marks a job that no plan runs by itself: it is the Run or Before
	// of another.
	OnDemand bool `json:"onDemand,omitempty"`
}

// OnRollback says what a rollback does about a job that already ran.
type OnRollback string

// The choices of jobs.NAME.onRollback.
const (
	HaltOnRollback OnRollback = "halt"
	KeepOnRollback OnRollback = "keep"
	RunOnRollback  OnRollback = "run"
)

// Condition is how far an object must have come for what needs it.
type Condition string

// The conditions of depends_on. Completed is met by a job that exited 0.
const (
	Started   Condition = "started"
	Healthy   Condition = "healthy"
	Completed Condition = "completed"
)

// OnReplace says what happens to an object whose need was replaced.
type OnReplace string

// The choices: nothing, a restart, or a new instance (a shared namespace died).
const (
	OnReplaceNothing  OnReplace = ""
	OnReplaceRestart  OnReplace = "restart"
	OnReplaceRecreate OnReplace = "recreate"
)

// Need is one condition on another group.
type Need struct {
	Group     string    `json:"group"`
	Condition Condition `json:"condition"`
	// Required is false where a missing or failed group is only noted.
	Required  bool      `json:"required"`
	OnReplace OnReplace `json:"onReplace,omitempty"`
	// Always is true where a way back keeps the order too: a rollback goes from
	// what needs to what is needed, but never puts an object before its namespace.
	Always bool `json:"always,omitempty"`
}

// ClaimKind is the kind of a claim.
type ClaimKind string

// The kinds of claims that two live instances never share.
const (
	ClaimPort    ClaimKind = "port"    // 0.0.0.0:8080/tcp
	ClaimName    ClaimKind = "name"    // a fixed container_name
	ClaimAddress ClaimKind = "address" // network/10.1.0.5
	ClaimWriter  ClaimKind = "writer"  // a volume written by one instance at a time
)

// Claim is something that an instance holds alone while it is live.
type Claim struct {
	Kind  ClaimKind `json:"kind"`
	Value string    `json:"value"`
}

// String returns the claim as kind value.
func (c Claim) String() string { return string(c.Kind) + " " + c.Value }

// Order is which side of a replacement comes first.
type Order string

// The orders of update_config. OrderAuto is start-first where no claim forbids it.
const (
	OrderAuto  Order = ""
	StartFirst Order = "start-first"
	StopFirst  Order = "stop-first"
)

// FailureAction is what follows when more instances fail than the ratio allows.
type FailureAction string

// The failure actions of update_config. The default is to roll back.
const (
	ActionRollback FailureAction = "rollback"
	ActionPause    FailureAction = "pause"
	ActionContinue FailureAction = "continue"
)

// Policy is how the instances of a group are replaced (Compose's update_config
// and rollback_config).
type Policy struct {
	// Parallelism is how many slots change at once; 0 is all of them.
	Parallelism int           `json:"parallelism"`
	Delay       time.Duration `json:"delay,omitempty"`
	Order       Order         `json:"order,omitempty"`
	// Monitor is how long a healthy instance is watched before its batch counts.
	Monitor         time.Duration `json:"monitor,omitempty"`
	MaxFailureRatio float64       `json:"maxFailureRatio,omitempty"`
	FailureAction   FailureAction `json:"failureAction,omitempty"`
	// Ready is how long an instance may take from start to healthy; 0 is the
	// rollout's default.
	Ready time.Duration `json:"ready,omitempty"`
	// Canary gives the first new instances a part of what is new first; nil gives
	// them all of theirs at once.
	Canary *Canary `json:"canary,omitempty"`
}

// Canary is a trial under real traffic.
type Canary struct {
	// Share is the percentage of new requests that the new side gets, 1 to 99.
	Share int `json:"share"`
	// For is how long it has to stay healthy with them.
	For Duration `json:"for"`
}

// String prints the canary as "10% for 10m0s".
func (c Canary) String() string { return fmt.Sprintf("%d%% for %s", c.Share, c.For) }

// Hash returns "version:hex" over kind and spec. Two objects with one hash are
// the same desired thing.
func (o Object) Hash() string {
	sum := sha256.New()
	head := make([]byte, 0, 64)
	head = append(append(append(head, hashVersion+"\n"...), o.Key.Kind...), '\n')
	sum.Write(head)
	sum.Write(o.Spec)
	return hashVersion + ":" + hex.EncodeToString(sum.Sum(nil))
}

// Canonical returns v as canonical JSON: object keys sorted, no white space, no
// HTML escapes.
func Canonical(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	if isTree(v) { // its keys are sorted already
		return bytes.TrimSpace(buf.Bytes()), nil
	}
	var tree any
	dec := json.NewDecoder(&buf)
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode canonical JSON: %w", err)
	}
	buf.Reset()
	if err := enc.Encode(tree); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	return bytes.TrimSpace(buf.Bytes()), nil
}

// isTree tells whether v is what decoding JSON makes: nothing in it says by itself how
// it is written.
func isTree(v any) bool {
	switch v := v.(type) {
	case nil, bool, string, float64, int64, json.Number:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isTree(item) })
	case map[string]any:
		for _, item := range v {
			if !isTree(item) {
				return false
			}
		}
		return true
	}
	return false
}

// Digest returns one hash over all objects, in any order given, with their
// needs and policies: the identity of a rendered set.
func Digest(objects []Object) string {
	sorted := Sorted(objects)
	sum := sha256.New()
	for _, o := range sorted {
		raw, err := json.Marshal(o)
		if err != nil { // cannot happen: Object has no unmarshalable field, and Spec is valid JSON
			raw = []byte(err.Error())
		}
		sum.Write(raw)
		sum.Write([]byte{'\n'})
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}
