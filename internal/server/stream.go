package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// backlog is how many events may wait for a slow peer. What is more is dropped:
// a rollout never waits for a terminal, and the last line says how it ended.
const backlog = 256

// line is one line of a stream: events, then either a result or a failure.
type line struct {
	Event   *reconcile.Event `json:"event,omitempty"`
	Result  json.RawMessage  `json:"result,omitempty"`
	Failure *failure         `json:"failure,omitempty"`
}

// stream sends what run tells while it runs, and how it ended. Where the peer
// goes away, run goes on: no rollout stops in the middle because a terminal was
// closed.
func (a *api) stream(w http.ResponseWriter, run func(context.Context, func(reconcile.Event)) (any, error)) {
	w.Header().Set("Content-Type", "application/jsonl")
	w.WriteHeader(http.StatusOK)
	f := &feed{
		out:     json.NewEncoder(w),
		control: http.NewResponseController(w),
		queue:   make(chan reconcile.Event, backlog),
		done:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go f.pump()
	result, err := run(a.life, f.hear)
	close(f.done)
	<-f.ended
	f.write(last(a.life, result, err))
}

func last(ctx context.Context, result any, err error) line {
	if err != nil {
		return line{Failure: newFailure(ctx, err)}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return line{Failure: newFailure(ctx, err)}
	}
	return line{Result: raw}
}

// feed brings events from the rollout to the peer without the one waiting for
// the other. One goroutine at a time writes: pump, and after its end the handler.
type feed struct {
	out     *json.Encoder
	control *http.ResponseController
	broken  bool
	queue   chan reconcile.Event
	done    chan struct{} // closed when no more events count
	ended   chan struct{} // closed by pump at its end
}

// hear takes an event; it never blocks, and may come late.
func (f *feed) hear(e reconcile.Event) {
	select {
	case f.queue <- e:
	default:
	}
}

// pump writes events until done, and what is in the queue then.
func (f *feed) pump() {
	defer close(f.ended)
	for {
		select {
		case e := <-f.queue:
			f.write(line{Event: &e})
			continue
		case <-f.done:
		}
		for {
			select {
			case e := <-f.queue:
				f.write(line{Event: &e})
			default:
				return
			}
		}
	}
}

// write sends one line. Where that fails the peer is gone, and nobody is left to
// be told.
func (f *feed) write(l line) {
	if f.broken {
		return
	}
	deadline := f.control.SetWriteDeadline(time.Now().Add(writeLimit))
	if deadline != nil || f.out.Encode(l) != nil {
		f.broken = true
		return
	}
	if len(f.queue) > 0 { // what comes next takes it along
		return
	}
	f.broken = f.control.Flush() != nil
}
