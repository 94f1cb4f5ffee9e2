// Package kube is the adapter to a Kubernetes cluster: it looks at objects, applies
// them server-side, and says how they feel. It decides nothing.
package kube

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"syncd.io/syncd/internal/apply/asked"
	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Manager is the field manager that owns what syncd applies.
const Manager = health.Manager

// inFlight is how many requests the engine has under way at once: what lies behind
// an API server's priority and fairness, and a machine's connections, has an end.
const inFlight = 16

// answerIn is how long an answer may take: an API server ends what it works on after a
// minute by itself.
const answerIn = 75 * time.Second

// Options are what an engine is made of.
type Options struct {
	// Kubeconfig and Context name the cluster; empty is what kubectl would ask, or
	// the one that the process runs in.
	Kubeconfig, Context string
	// Agent is this agent's identity: what it applies carries it.
	Agent string
	// Version is sent as part of the user agent.
	Version string
	// Deaf hears that events were lost, after which the engine looks anew; nil is
	// nobody.
	Deaf func(error)
	// Asked is told of each request to the API server, from several goroutines at once,
	// and must not block; nil is nobody.
	Asked func(asked.Request)
}

// Engine speaks to one cluster. Its methods may be used by several goroutines.
type Engine struct {
	agent string
	deaf  func(error)
	base  *rest.Config
	kinds *kinds
	slots chan struct{}
	// journal is what events were told last.
	journal journal
	// desk is where they are written.
	desk *desk
	// life ends with Close: what watches does so until then.
	life   context.Context
	end    context.CancelFunc
	owners sync.WaitGroup
	// leaving is how long what was deleted may take to be gone.
	leaving time.Duration
	// naming is how long a controller may take to name what it fills.
	naming time.Duration
	// unmarked tells that watches do not say when they have shown all that there is.
	unmarked atomic.Bool
	// once is where what several want to know is asked for.
	once once

	mu         sync.Mutex // guards what follows
	identities map[string]*identity
	scopes     map[scope]*scoped
	// ledgers are kept by who has a target of the app.
	ledgers  map[string]weak.Pointer[ledger]
	lookouts map[lookoutID]*lookout
	joints   map[scope]*joint
	surveys  map[scope]*survey
	scaled   map[scope]autoscaled
	// scaledTurn counts how often something of that was made void.
	scaledTurn int
	// confined are the kinds that may be watched in single namespaces only.
	confined map[scope]bool
	hear     chan string
	// tidying goes over the watches in a while; nil where there is no reason to.
	tidying *time.Timer
}

// Open connects to a cluster. ctx bounds the connecting, and its values and
// cancellation those of the engine's life. Errors: Unreachable where nobody
// answers, Blocked where the credentials are refused, Rejected for a kubeconfig
// that says nothing useful.
func Open(ctx context.Context, o Options) (*Engine, error) {
	cfg, err := Config(o.Kubeconfig, o.Context, o.Version)
	if err != nil {
		return nil, err
	}
	if o.Asked != nil {
		cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return asked.Teller{RoundTripper: next, Verb: verbOf, Tell: o.Asked}
		})
	}
	return open(ctx, cfg, o)
}

func open(ctx context.Context, cfg *rest.Config, o Options) (*Engine, error) {
	e := &Engine{
		agent: o.Agent, deaf: o.Deaf, base: cfg, slots: make(chan struct{}, inFlight),
		identities: map[string]*identity{}, scopes: map[scope]*scoped{}, ledgers: map[string]weak.Pointer[ledger]{},
		lookouts: map[lookoutID]*lookout{}, joints: map[scope]*joint{}, surveys: map[scope]*survey{}, scaled: map[scope]autoscaled{}, confined: map[scope]bool{}, hear: make(chan string, heard), leaving: leaving,
		naming: namedWithin,
	}
	// What informers say besides their errors is not for the agent's standard error.
	e.life, e.end = context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	e.desk = newDesk(e.life, e.busy, func(err error) { e.lost(fmt.Errorf("write an event: %w", err)) })
	e.once.life, e.once.owners = e.life, &e.owners
	id, err := e.as("")
	if err != nil {
		return nil, err
	}
	e.kinds = newKinds(id.core, &e.once)
	if err := e.kinds.refresh(ctx); err != nil {
		e.end()
		return nil, err
	}
	return e, nil
}

// Close ends all watches, after what is to be told was told. It returns when they have
// ended.
func (e *Engine) Close() error {
	e.desk.clear()
	e.end()
	e.mu.Lock()
	if e.tidying != nil {
		e.tidying.Stop()
	}
	e.mu.Unlock()
	e.desk.late.Wait()
	e.owners.Wait()
	return nil
}

// Target returns the place of one app.
func (e *Engine) Target(app string) *Target {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.ledgers[app].Value()
	if l == nil {
		l = &ledger{entries: map[resource.Key]*entry{}, left: e.tidySoon}
		e.ledgers[app] = weak.Make(l)
	}
	return &Target{engine: e, app: app, ledger: l}
}

// ledger returns what is remembered of an app; nil where it has no target.
func (e *Engine) ledger(app string) *ledger {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ledgers[app].Value()
}

// bounded runs do when few enough requests are under way, and for no longer than an
// answer takes.
func (e *Engine) bounded(ctx context.Context, do func(context.Context) error) error {
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.slots }()
	inside, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	err := do(inside)
	if err != nil && inside.Err() != nil && ctx.Err() == nil {
		return fault.As(fault.Unreachable, fmt.Errorf("the API server has not answered within %s: %w", answerIn, err))
	}
	return err
}

// get reads an object.
func (e *Engine) get(ctx context.Context, place dynamic.ResourceInterface, name string) (live *unstructured.Unstructured, err error) {
	err = e.bounded(ctx, func(ctx context.Context) error {
		live, err = place.Get(ctx, name, metav1.GetOptions{})
		return err
	})
	return live, err
}

// fewInFlight is how many requests may be under way where the engine is not busy.
const fewInFlight = 2

// busy tells whether many requests are under way.
func (e *Engine) busy() bool { return len(e.slots) > fewInFlight }

// lost tells that events were missed.
func (e *Engine) lost(err error) {
	if e.deaf != nil && e.life.Err() == nil {
		e.deaf(fault.As(fault.Unreachable, err))
	}
}
