// Package docker is the adapter of apply.Target for the Docker Engine API, and
// the only room that imports its client.
//
// It compares meaning, not encoding: what is wanted (write, read) and what
// inspect gives back (read) pass through the same reader into spec.Container,
// so that a container that Compose made and one that syncd made look the same,
// and a difference carries the name of the field in the user's own file.
package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"syncd.io/syncd/internal/apply/asked"
)

// Deadlines of one engine call.
const (
	readLimit  = 30 * time.Second
	writeLimit = 2 * time.Minute
)

// limits are how long others may take.
type limits struct {
	// hook is for all post_start hooks of a container, stop for its pre_stop hooks
	// in any case.
	hook, stop time.Duration
	// helper is for a credential helper, absent for an image to arrive at its
	// registry.
	helper, absent time.Duration
}

func defaultLimits() limits {
	return limits{hook: hookLimit, stop: defaultStopSeconds * time.Second, helper: helperLimit, absent: absentLimit}
}

// Options say which engine, and what is known of it from outside.
type Options struct {
	// Host is a docker host URL; empty is DOCKER_HOST, else the local socket.
	Host string
	// Mounts is the directory of materialised files as the agent sees it.
	Mounts string
	// Agent names the state directory that this agent works on. What another one
	// made is foreign. Empty tells none apart.
	Agent string
	// Version is syncd's own, written into a label of what it makes.
	Version string
	// GateProgram is what gates run; empty is syncd-gate beside this program.
	GateProgram string
	// GateImage is what gates are made of instead; it is pulled where it is not here.
	GateImage string
	// Elsewhere has images besides the registries that the engine pulls from; nil is
	// nowhere.
	Elsewhere Elsewhere
	// Progress is told how pulls go on; nil is nobody.
	Progress func(Progress)
	// Deaf is told why the engine's events ended, before Watch listens anew; nil
	// is nobody.
	Deaf func(error)
	// Ignored is told of what went wrong and stopped nothing: a pre_stop hook that
	// failed. nil is nobody.
	Ignored func(error)
	// Asked is told of each request to the engine, from several goroutines at once, and
	// must not block; nil is nobody.
	Asked func(asked.Request)
}

// Engine is one Docker engine. It is safe for concurrent use.
type Engine struct {
	api *client.Client
	// door is a client that comes anew each time.
	door   *client.Client
	opts   Options
	limits limits

	calls  atomic.Int64
	mu     sync.Mutex
	images map[string]*imageFacts
	// absences are told by registries
	absences absences
	info     *system.Info
	mounts   *string // the mounts directory as the engine sees it, once known
}

// Open connects to an engine and agrees on an API version. Errors: Unreachable.
func Open(ctx context.Context, opts Options) (*Engine, error) {
	e := &Engine{opts: opts, limits: defaultLimits(), images: map[string]*imageFacts{}, absences: absences{}}
	var err error
	if e.api, err = e.client(); err != nil {
		return nil, err
	}
	if e.door, err = e.client(unkept); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.Ping(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// client makes a client of the engine, changed as asked for.
func (e *Engine) client(change ...client.Opt) (*client.Client, error) {
	options := []client.Opt{
		client.FromEnv, client.WithAPIVersionNegotiation(), client.WithTraceOptions(otelhttp.WithFilter(e.count)),
	}
	if e.opts.Host != "" {
		options = append(options, client.WithHost(e.opts.Host))
	}
	web := &http.Client{}
	api, err := client.NewClientWithOpts(slices.Concat(options, change, []client.Opt{lent(web)})...)
	if err != nil {
		return nil, fmt.Errorf("open engine %s: %w", e.opts.Host, err)
	}
	if e.opts.Asked != nil {
		web.Transport = asked.Teller{RoundTripper: web.Transport, Verb: verbOf, Tell: e.opts.Asked}
	}
	return api, nil
}

// count sees every request to the engine, and keeps it from being traced, which
// costs more than the request.
func (e *Engine) count(*http.Request) (trace bool) {
	e.calls.Add(1)
	return false
}

// Calls returns how many requests were made to the engine so far.
func (e *Engine) Calls() int64 { return e.calls.Load() }

// Close ends all idle connections.
func (e *Engine) Close() error {
	if err := e.api.Close(); err != nil {
		return fmt.Errorf("close engine connection: %w", err)
	}
	return nil
}

// Ping asks for a sign of life. Errors: Unreachable.
func (e *Engine) Ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	ping, err := e.api.Ping(limited)
	if err != nil {
		return e.unreachable(ctx, "reach the Docker engine", err)
	}
	e.api.NegotiateAPIVersionPing(ping)
	return nil
}

// Facts are what syncd check and plan say about an engine.
type Facts struct {
	// Version is the engine's, API the agreed API version.
	Version, API string
	// Root is the engine's data directory on its host.
	Root string
	// CPUs and Memory (bytes) are what the host has.
	CPUs   int
	Memory int64
	// LogDriver is the default log driver.
	LogDriver string
	// Warnings are the engine's own.
	Warnings []string
}

// Facts returns what the engine says about itself.
func (e *Engine) Facts(ctx context.Context) (Facts, error) {
	info, err := e.engineInfo(ctx)
	if err != nil {
		return Facts{}, err
	}
	return Facts{
		Version: info.ServerVersion, API: e.api.ClientVersion(), Root: info.DockerRootDir,
		CPUs: info.NCPU, Memory: info.MemTotal, LogDriver: info.LoggingDriver, Warnings: info.Warnings,
	}, nil
}

func (e *Engine) engineInfo(ctx context.Context) (system.Info, error) {
	e.mu.Lock()
	known := e.info
	e.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	info, err := e.api.Info(limited)
	if err != nil {
		return info, e.classify(ctx, "ask the engine about itself", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.info = &info
	return info, nil
}

// forgetFacts drops what may differ after the engine was restarted.
func (e *Engine) forgetFacts() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.info = nil
}

// knows tells whether the engine speaks at least this API version.
func (e *Engine) knows(version string) bool {
	return versions.GreaterThanOrEqualTo(e.api.ClientVersion(), version)
}
