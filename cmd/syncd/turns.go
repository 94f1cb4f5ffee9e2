package main

import (
	"context"
	"sync"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// turns answers for an agent that takes turns with others: by the agent while
// this process leads, and with who leads while it stands by.
type turns struct {
	namespace string

	mu     sync.Mutex // guards what follows
	agent  *reconcile.Agent
	leader string
}

// sit lets a answer; nil nobody.
func (t *turns) sit(a *reconcile.Agent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.agent = a
}

// follow takes note of who leads.
func (t *turns) follow(leader string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leader = leader
}

// leading returns the agent; Blocked while this process stands by.
func (t *turns) leading() (*reconcile.Agent, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.agent == nil {
		return nil, standingBy(t.leader, t.namespace)
	}
	return t.agent, nil
}

// askLeader asks the agent.
func askLeader[T any](t *turns, ask func(*reconcile.Agent) (T, error)) (T, error) {
	a, err := t.leading()
	if err != nil {
		var none T
		return none, err
	}
	return ask(a)
}

// Remotes implements metrics.Remotes; who stands by asks nobody.
func (t *turns) Remotes() []source.RemoteStatus {
	a, err := t.leading()
	if err != nil {
		return nil
	}
	return a.Remotes()
}

// AppWindows implements metrics.Windows; who stands by changes nothing.
func (t *turns) AppWindows() (open, waiting map[string]bool) {
	a, err := t.leading()
	if err != nil {
		return nil, nil
	}
	return a.AppWindows()
}

// Known is what the agent knows of its apps; who stands by has none.
func (t *turns) Known() []reconcile.Known {
	if a, err := t.leading(); err == nil {
		return a.Known()
	}
	return nil
}

// Places tells how many passes are under way.
func (t *turns) Places() reconcile.Places {
	if a, err := t.leading(); err == nil {
		return a.Places()
	}
	return reconcile.Places{}
}

// SourceSeen tells whether the repository is seen; who stands by does not look.
func (t *turns) SourceSeen() bool {
	a, err := t.leading()
	return err == nil && a.SourceSeen()
}

// Status implements reconcile.Asker.
func (t *turns) Status(ctx context.Context, apps []string) (reconcile.Status, error) {
	return askLeader(t, func(a *reconcile.Agent) (reconcile.Status, error) { return a.Status(ctx, apps) })
}

// Plan implements reconcile.Asker.
func (t *turns) Plan(ctx context.Context, req reconcile.PlanRequest) ([]reconcile.Preview, error) {
	return askLeader(t, func(a *reconcile.Agent) ([]reconcile.Preview, error) { return a.Plan(ctx, req) })
}

// History implements reconcile.AppAsker.
func (t *turns) History(ctx context.Context, app string, limit int) ([]state.Entry, error) {
	return askLeader(t, func(a *reconcile.Agent) ([]state.Entry, error) { return a.History(ctx, app, limit) })
}

// Logs implements reconcile.AppAsker.
func (t *turns) Logs(ctx context.Context, app, revision string) ([]state.FailedLog, error) {
	return askLeader(t, func(a *reconcile.Agent) ([]state.FailedLog, error) { return a.Logs(ctx, app, revision) })
}

// Explain implements reconcile.AppAsker.
func (t *turns) Explain(ctx context.Context, app string) (reconcile.Explanation, error) {
	return askLeader(t, func(a *reconcile.Agent) (reconcile.Explanation, error) { return a.Explain(ctx, app) })
}

// Rendered implements reconcile.AppAsker.
func (t *turns) Rendered(ctx context.Context, app string) ([]byte, error) {
	return askLeader(t, func(a *reconcile.Agent) ([]byte, error) { return a.Rendered(ctx, app) })
}

// Sync implements reconcile.Actor.
func (t *turns) Sync(ctx context.Context, req reconcile.SyncRequest, hear func(reconcile.Event)) ([]reconcile.Result, error) {
	return askLeader(t, func(a *reconcile.Agent) ([]reconcile.Result, error) { return a.Sync(ctx, req, hear) })
}

// Act implements reconcile.Actor.
func (t *turns) Act(ctx context.Context, verb string, req reconcile.ActRequest, hear func(reconcile.Event)) (reconcile.ActResult, error) {
	return askLeader(t, func(a *reconcile.Agent) (reconcile.ActResult, error) { return a.Act(ctx, verb, req, hear) })
}

// AllGates implements metrics.Gates: who stands by has none.
func (t *turns) AllGates(ctx context.Context) (map[string][]apply.Gate, error) {
	if a, err := t.leading(); err == nil {
		return a.AllGates(ctx)
	}
	return nil, nil
}

// Look lets the agent look now, where it leads.
func (t *turns) Look() {
	if a, err := t.leading(); err == nil {
		a.Look()
	}
}

// Poll lets the repository be looked at now, where this process leads.
func (t *turns) Poll() {
	if a, err := t.leading(); err == nil {
		a.Poll()
	}
}

// Ready tells whether it leads.
func (t *turns) Ready() bool {
	a, err := t.leading()
	return err == nil && a.Ready()
}
