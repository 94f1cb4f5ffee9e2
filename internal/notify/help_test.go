package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/notify/wording"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// record is what is on record, in memory.
type record struct {
	mu    sync.Mutex
	facts []Fact
	fails atomic.Int64 // until then it cannot be read
	hangs atomic.Int64 // for so long it does not answer
	asked atomic.Int64 // how often it was read
	over  atomic.Bool  // nothing of it is so any more, whatever it tells
}

// Open implements Journal.
func (r *record) Open(Fact) (bool, error) { return !r.over.Load(), nil }

// Since implements Journal.
func (r *record) Since(id uint64, limit int) ([]Fact, error) {
	r.asked.Add(1)
	time.Sleep(time.Duration(r.hangs.Load())) //nolint:forbidigo // the clock of the bubble
	if time.Now().UnixNano() < r.fails.Load() {
		return nil, errDown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	from := min(int(id), len(r.facts))
	return r.facts[from:min(len(r.facts), from+limit)], nil
}

// Last implements Journal.
func (r *record) Last() (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return uint64(len(r.facts)), nil
}

func (r *record) add(f Fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.ID = uint64(len(r.facts) + 1)
	if f.At.IsZero() {
		f.At = time.Now()
	}
	if f.Revision.Commit == "" && f.App != "" {
		f.Revision = Revision{Commit: "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d", Author: "Jane Doe", Subject: "Raise the limit"}
	}
	r.facts = append(r.facts, f)
}

// place is a host whose notifier tells fake channels.
type place struct {
	t      *testing.T
	conf   config.Notify
	path   string
	record *record
	told   map[string]*told
	end    func()
	n      *Notifier
	begun  time.Time
	shared *note // nil where nobody takes turns
	begin  *Start
	heart  pulse.Heart
	apps   func() map[string]string
	log    *slog.Logger
}

// said is a log that several may write and read.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take is what was said since the last time.
func (s *said) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

// told is a channel that remembers, and fails as it is told to.
type told struct {
	mu   sync.Mutex
	list []Message
	at   []time.Duration
	fail error
	from time.Time
	hang atomic.Bool
}

func (c *told) fails(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = err
}

func (c *told) send(ctx context.Context, m Message) error {
	if c.hang.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	c.list, c.at = append(c.list, m), append(c.at, time.Since(c.from))
	return nil
}

// all are the titles of what was told, with the seconds since the test began.
func (c *told) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for i, m := range c.list {
		out = append(out, fmt.Sprintf("%.0f %s", c.at[i].Seconds(), m.Title))
	}
	return strings.Join(out, "\n")
}

// conf makes a configuration with a fake channel for each name that a route leads to.
func confOf(routes ...config.Route) config.Notify {
	conf := config.Notify{Channels: map[string]config.Channel{}, Routes: routes}
	for _, r := range routes {
		for _, to := range r.To {
			conf.Channels[to] = config.Channel{Type: "slack"}
		}
	}
	return conf
}

// host begins a notifier within a bubble.
func host(t *testing.T, conf config.Notify) *place {
	t.Helper()
	p := &place{t: t, conf: conf, path: filepath.Join(t.TempDir(), "notify.db"), record: &record{}, told: map[string]*told{}, begun: time.Now()}
	for name := range conf.Channels {
		p.told[name] = &told{from: p.begun}
	}
	p.start()
	t.Cleanup(func() { p.end() })
	return p
}

// taking is a host of several agents that take turns: whoever follows has an outbox of
// its own.
func taking(t *testing.T, conf config.Notify) *place {
	t.Helper()
	p := host(t, conf)
	p.end()
	p.shared = &note{}
	p.path += ".first"
	p.start()
	return p
}

// start opens the outbox and runs the notifier, until end.
func (p *place) start() {
	p.t.Helper()
	box, err := outbox.Open(p.path)
	if err != nil {
		p.t.Fatal(err)
	}
	opts := Options{Notify: p.conf, Host: "prod-1", Labels: map[string]string{"env": "prod"}, Box: box, Journal: p.record, Start: p.begin, Heart: &p.heart, Apps: p.apps, Wording: inProcess, Log: cmp.Or(p.log, slog.New(slog.DiscardHandler))}
	if p.shared != nil {
		opts.Shared = p.shared
	}
	if p.n, err = New(opts); err != nil {
		p.t.Fatal(err)
	}
	for name, fake := range p.told {
		if _, there := p.n.channels[name]; there && p.conf.Channels[name].Type != config.Alertmanager {
			p.n.channels[name] = fake
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { p.n.Run(ctx); close(done) }()
	p.end = func() {
		cancel()
		<-done
		if err := box.Close(); err != nil {
			p.t.Error(err)
		}
		p.end = func() {}
	}
}

// happens puts facts on record, and waits until all is quiet for so long.
func (p *place) happens(wait time.Duration, facts ...Fact) {
	p.t.Helper()
	for _, f := range facts {
		p.record.add(f)
	}
	p.n.Wake()
	p.wait(wait)
}

func (p *place) wait(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the clock of the bubble
	synctest.Wait()
}

// says holds what a channel was told against lines, SECONDS TITLE.
func (p *place) says(channel string, want ...string) {
	p.t.Helper()
	if got := p.told[channel].all(); got != strings.Join(want, "\n") {
		p.t.Errorf("%s was told\n%s\n\nwant\n%s", channel, got, strings.Join(want, "\n"))
	}
}

func sync1(app, outcome, reason string) Fact {
	return Fact{App: app, Owner: "team-" + app, Kind: "sync", Outcome: outcome, Reason: reason}
}

func drifts(app, outcome string, findings ...string) Fact {
	return Fact{App: app, Kind: "drift", Outcome: outcome, Incident: app + "-1", Findings: findings}
}

func duration(d time.Duration) *config.Duration {
	c := config.Duration(d)
	return &c
}

// inProcess is a Wording without a child.
func inProcess(_ context.Context, d Draft) ([]string, error) {
	return wording.Texts(d.Template, d.About)
}

var errDown = errors.New("down")
