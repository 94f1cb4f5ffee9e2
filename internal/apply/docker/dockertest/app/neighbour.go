package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// neighbour asks another service again and again, on a connection of its own each
// time, from the first answer on.
type neighbour struct {
	url string

	mu          sync.Mutex
	total, lost int
	first       string // error
	last        string // answer
	heard       []string
}

func (n *neighbour) askOn(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		n.note(n.askOnce(ctx, client))
		wait(ctx, 2*time.Millisecond)
	}
}

func (n *neighbour) askOnce(ctx context.Context, client *http.Client) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url, nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return strings.TrimSpace(string(body)), err
}

func (n *neighbour) note(answer string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil:
		n.total, n.last = n.total+1, answer
		if !slices.Contains(n.heard, answer) {
			n.heard = append(n.heard, answer)
		}
	case n.total > 0:
		n.total, n.lost = n.total+1, n.lost+1
		if n.first == "" {
			n.first = err.Error()
		}
	}
}

// tell answers "TOTAL LOST LAST-ANSWER ALL,ANSWERS FIRST-ERROR".
func (n *neighbour) tell(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintln(w, n.total, n.lost, cmp.Or(n.last, "-"), cmp.Or(strings.Join(n.heard, ","), "-"), n.first)
}
