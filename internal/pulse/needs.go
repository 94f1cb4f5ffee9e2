package pulse

import (
	"context"
	"sync"
	"time"
)

// Need is something that the agent can do nothing without.
type Need struct {
	// Name is what a person calls it: engine, record.
	Name string
	// Ask finds out whether it is there, within Limit; it is asked every Every. What it
	// says is shown to whoever asks how the agent is: it must hold no secret.
	Ask          func(ctx context.Context) error
	Every, Limit time.Duration

	mu    sync.Mutex // guards what follows
	asked bool
	last  error
	at    time.Time
}

// Watch asks again and again until ctx ends.
func (n *Need) Watch(ctx context.Context) {
	for {
		n.ask(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(n.Every):
		}
	}
}

func (n *Need) ask(ctx context.Context) {
	limited, end := context.WithTimeout(ctx, n.Limit)
	defer end()
	err := n.Ask(limited)
	if ctx.Err() != nil { // the end of the agent says nothing of it
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked, n.last, n.at = true, err, time.Now()
}

// Check tells how it was when it was asked last. It does not ask, and does not wait:
// a question that hangs is an answer, too.
func (n *Need) Check() Check {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := Check{Name: n.Name}
	switch silent := time.Since(n.at); {
	case !n.asked:
		c.Detail = "not asked yet"
	case n.last != nil:
		c.Detail = n.last.Error()
	case silent > 2*(n.Every+n.Limit):
		c.Detail = "no answer for " + silent.Round(time.Second).String()
	default:
		c.OK = true
	}
	return c
}
