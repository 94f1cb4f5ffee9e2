package trace

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"syncd.io/syncd/internal/egress"
)

// Bounds of what waits to be sent. A trace more is dropped, and counted.
const (
	mostWaiting = 256
	mostSpans   = 2000 // of one trace
	mostAtOnce  = 64   // traces in one request
)

// The times of an export.
const (
	gather    = 2 * time.Second // for more traces, before a request
	tryLimit  = 10 * time.Second
	lastTries = 5 * time.Second // at the end
	tries     = 5
	firstWait = time.Second
)

// Options say where traces go.
type Options struct {
	// Endpoint is the collector's http or https URL; one without a path stands for its
	// /v1/traces.
	Endpoint string
	// HeadersFile has lines NAME: VALUE that go with each request, read anew each time;
	// empty is none.
	HeadersFile string
	// Sample is how many traces of a hundred are sent. Zero is all.
	Sample int
	// Version is this program's, From what says which agent it is.
	Version string
	From    []Attribute
	// Trouble hears why traces do not arrive, once until they do again; nil is nobody.
	Trouble func(error)
}

// Exporter sends traces. Who has one for it never waits: a bounded queue takes it, or
// it is dropped.
type Exporter struct {
	opts    Options
	web     *http.Client
	waiting chan Span
	mu      sync.Mutex // guards what follows
	counts  map[string]uint64
	failing bool
}

// New checks the endpoint and the file of headers. Errors: Rejected, with a hint.
func New(opts Options) (*Exporter, error) {
	endpoint, err := endpointOf(opts.Endpoint)
	if err != nil {
		return nil, err
	}
	opts.Endpoint = endpoint
	if _, err := headersOf(opts.HeadersFile); err != nil {
		return nil, err
	}
	return &Exporter{opts: opts, web: egress.Client(nil, tryLimit), waiting: make(chan Span, mostWaiting), counts: map[string]uint64{}}, nil
}

// Offer takes a trace to be sent, if it is among those of the sample and there is room.
func (e *Exporter) Offer(root Span) {
	if e.opts.Sample > 0 && rand.IntN(100) >= e.opts.Sample {
		return
	}
	if root.count() > mostSpans {
		e.book("dropped", 1)
		return
	}
	select {
	case e.waiting <- root:
	default:
		e.book("dropped", 1)
	}
}

// Counts are how many traces were sent, dropped for want of room, or given up.
func (e *Exporter) Counts() map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]uint64{"sent": 0, "dropped": 0, "failed": 0}
	for word, n := range e.counts {
		out[word] = n
	}
	return out
}

func (e *Exporter) book(word string, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[word] += uint64(n)
}

// Run sends what is offered until ctx ends, and then what waits still, for at most
// five seconds.
func (e *Exporter) Run(ctx context.Context) {
	defer e.web.CloseIdleConnections()
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastTries, cut) })()
	for {
		select {
		case first := <-e.waiting:
			e.deliver(ctx, sending, e.more(ctx, first))
			continue
		case <-ctx.Done():
		}
		select { // what is left
		case first := <-e.waiting:
			e.deliver(ctx, sending, e.more(ctx, first))
		default:
			return
		}
	}
}

// more gathers what comes soon after the first trace, so that many make few requests.
func (e *Exporter) more(ctx context.Context, first Span) []Span {
	all := []Span{first}
	soon := time.NewTimer(gather)
	defer soon.Stop()
	for len(all) < mostAtOnce {
		select {
		case next := <-e.waiting:
			all = append(all, next)
		case <-soon.C:
			return all
		case <-ctx.Done():
			select {
			case next := <-e.waiting:
				all = append(all, next)
			default:
				return all
			}
		}
	}
	return all
}

// deliver sends traces, and books what became of them.
func (e *Exporter) deliver(ctx, sending context.Context, all []Span) {
	body, err := encode(e.opts.From, e.opts.Version, all)
	if err == nil {
		err = e.send(ctx, sending, body)
	}
	if err == nil {
		e.book("sent", len(all))
	} else {
		e.book("failed", len(all))
	}
	e.tell(err)
}

// send makes requests until one is taken, or another one does not help: with pauses
// until ctx ends, and none after the end of sending.
func (e *Exporter) send(ctx, sending context.Context, body []byte) error {
	for try := 1; ; try++ {
		again, err := e.post(sending, body)
		if err == nil || !again || try == tries || sending.Err() != nil {
			return err
		}
		wait(ctx, firstWait<<(try-1))
	}
}

// tell says that traces do not arrive when that begins.
func (e *Exporter) tell(err error) {
	e.mu.Lock()
	fresh := err != nil && !e.failing
	e.failing = err != nil
	e.mu.Unlock()
	if fresh && e.opts.Trouble != nil {
		e.opts.Trouble(err)
	}
}

// wait pauses, or ends early with ctx.
func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
