// Package apply turns the difference between wanted and live into a Plan
// (a decision as data, without I/O) and carries it out (Rollout), gate by gate.
package apply

import (
	"context"
	"encoding/json"
	"errors"

	"syncd.io/syncd/internal/resource"
)

// Owned says what is ours on the target besides what labels say.
type Owned struct {
	// App is the name written into ownership labels: the Compose project.
	App string
	// Adopted are the instances that were taken over: they carry no label of
	// ours.
	Adopted []resource.Ref
	// Secrets are the host's secret values: they are masked in what an instance
	// says of itself.
	Secrets []string
	// As is the ServiceAccount (NAMESPACE/NAME) in whose name a cluster is asked;
	// empty for the agent's own.
	As string
	// Notes are what the target asked to be remembered (Noter); nil is nothing.
	Notes json.RawMessage
}

// Origin is what an adoption takes over.
type Origin struct {
	// Dir is the directory that the instances were started from.
	Dir string
	// Refs are the instances that are not this agent's.
	Refs []resource.Ref
	// Agents are the identities of other agents that made some of the instances,
	// or took the app over.
	Agents []string
	// Makers say in words who else made instances, where the target can tell.
	Makers []string
	// Held tells whether this agent took the app over earlier, and has it still.
	Held bool
	// Mark is what tells the other agents of the adoption once it is made; among
	// Owned.Adopted it lets an observation look ahead. Zero where none is made.
	Mark resource.Ref
}

// Target is a place where objects live: a Docker engine, a Kubernetes cluster.
// Errors are classified with package fault: Unreachable when the target did not
// answer, Rejected when it refused what it was asked.
type Target interface {
	// Observe returns one pair per wanted slot and per live slot that belongs to
	// the app (also foreign ones in its name space), in key order. It changes
	// nothing. Errors: also Blocked, where another agent has taken the app over.
	Observe(ctx context.Context, want []resource.Object, owned Owned) ([]resource.Pair, error)
	// Put makes the slot hold an instance equal to object and returns its Ref.
	// It is idempotent, returns when the target accepted, not when it is
	// healthy, and never touches an instance of the slot that differs from
	// object beyond what InPlace names: the new one is put beside it. A stopped
	// equal instance is started; a job that runs or exited 0 is left alone, one
	// that failed runs again. An instance that shares the namespace of one that
	// was replaced (Refs) is not equal. The slot's resting name goes to what is
	// put, unless another running instance has it: a stopped one gives it up.
	Put(ctx context.Context, object resource.Object) (resource.Ref, error)
	// Remove deletes the instance; "already gone" is success. Data (volumes)
	// stays unless ref itself is a volume.
	Remove(ctx context.Context, key resource.Key, ref resource.Ref) error
	// Health returns how the instance is now; Absent where there is none.
	Health(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error)
}

// Stopper is a target whose instances can be stopped and started again. Stop
// also keeps the target from reviving the instance; a later Put undoes both.
// "Already stopped" and "already gone" are success.
type Stopper interface {
	Stop(ctx context.Context, key resource.Key, ref resource.Ref) error
}

// Noticer is a target that notices what an instance does, so that who awaits it need
// not look over and over.
type Noticer interface {
	// Noticed returns a channel that is closed when an instance may feel otherwise
	// than Health has said last; nil where the target does not look at it. What time
	// alone changes is not noticed.
	Noticed(key resource.Key, ref resource.Ref) <-chan struct{}
}

// Preparer is a target that can do work before anything live is touched.
type Preparer interface {
	// Pin fixes every outside reference once (tags to image IDs) and returns the
	// objects with it. What is already pinned is left alone. Where pull is true
	// what is missing here is fetched; else it stays unpinned and is named in
	// missing. Errors: Unreachable for a registry that does not answer, Blocked for
	// a login that is missing, Rejected for an image that does not exist.
	Pin(ctx context.Context, objects []resource.Object, pull bool) (pinned []resource.Object, missing []string, err error)
	// Validate lets the target judge the objects' settings without making any.
	// Errors: Rejected, naming object and field; Blocked where somebody else holds
	// what an object needs for itself (a host port).
	Validate(ctx context.Context, objects []resource.Object) error
}

// Noter is a target that remembers something of an app between observations: what
// it has put, and how it looked then. It comes back as Owned.Notes.
type Noter interface {
	// Notes returns what is to be remembered now, JSON; the same bytes where
	// nothing changed.
	Notes() json.RawMessage
}

// Teller is a target on which people read what happened to an object (Events).
type Teller interface {
	// Tell writes news about an instance where its users look.
	Tell(ctx context.Context, news News) error
}

// News is one thing that happened to an instance.
type News struct {
	Key resource.Key
	Ref resource.Ref
	// Warning tells bad news from good.
	Warning bool
	// Reason is one word in CamelCase (RolledBack), Text one line.
	Reason, Text string
}

// Router is a target that hands the traffic of published ports from one instance
// to the next.
type Router interface {
	// Route makes the slot hold a route equal to object, as Put does, and changes
	// who serves it; to.Made is empty. An instance that is gone serves no more,
	// whatever it was asked. It returns when new connections go where they shall;
	// Health is Well when those who left have finished, or were cut.
	Route(ctx context.Context, object resource.Object, to Traffic) (resource.Ref, error)
	// Refuse ends all holds: who waits is turned away where nobody serves, for
	// nobody is to come.
	Refuse(ctx context.Context) error
}

// ErrTaken is why a target does nothing for an app that another agent has taken over.
var ErrTaken = errors.New("taken over by another syncd agent")

// Evidence is what a failed instance leaves behind.
type Evidence interface {
	// Logs returns the last lines of the instance's output, oldest first.
	Logs(ctx context.Context, key resource.Key, ref resource.Ref, lines int) ([]string, error)
}
