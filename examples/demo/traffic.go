package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// visitor asks a web page over and over, as people do while something is being
// deployed, and counts how that went.
type visitor struct {
	url    string
	words  []string // what a person types to do the same
	client *http.Client
	end    context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	answered int
	refused  int
	down     time.Time // since when nothing was answered; zero while all is well
	longest  time.Duration
}

// newVisitor asks url every 25 ms until leave is called, by way of how; words are
// what a person would type.
func newVisitor(ctx context.Context, url string, how http.RoundTripper, words ...string) *visitor {
	ctx, end := context.WithCancel(ctx)
	v := &visitor{url: url, words: words, end: end, done: make(chan struct{}), client: &http.Client{Timeout: 2 * time.Second, Transport: how}}
	go func() {
		defer close(v.done)
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			_, err := v.page(ctx)
			v.note(time.Now(), err == nil)
			<-tick.C
		}
	}()
	return v
}

// leave ends the asking.
func (v *visitor) leave() {
	v.end()
	<-v.done
}

// page asks once and returns what a 200 carried.
func (v *visitor) page(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, nil)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", v.url, err)
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", v.url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: %s", v.url, resp.Status, body)
	}
	return string(body), nil
}

func (v *visitor) note(now time.Time, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !ok {
		v.refused++
		if v.down.IsZero() {
			v.down = now
		}
		return
	}
	v.answered++
	if !v.down.IsZero() {
		v.longest = max(v.longest, now.Sub(v.down))
		v.down = time.Time{}
	}
}

// report says how it went since the last report, in one line, and begins anew.
func (v *visitor) report() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := fmt.Sprintf("meanwhile %d requests were answered and %d were not", v.answered, v.refused)
	if v.refused > 0 {
		text += fmt.Sprintf("; the longest gap was %s", v.longest.Round(unit(v.longest)))
	}
	v.answered, v.refused, v.longest = 0, 0, 0
	return text
}

// unit is how exactly a gap is told: the short ones would else be none.
func unit(gap time.Duration) time.Duration {
	if gap < time.Second {
		return 10 * time.Millisecond
	}
	return 100 * time.Millisecond
}
