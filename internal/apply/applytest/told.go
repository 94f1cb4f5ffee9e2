package applytest

import (
	"context"
	"encoding/json"
	"slices"

	"syncd.io/syncd/internal/apply"
)

// Owned is what the last observation was told to be the app's.
func (m *Memory) Owned() apply.Owned {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.owned
}

// Remember sets what the target wants to be remembered from now on.
func (m *Memory) Remember(notes json.RawMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes = notes
}

// Notes returns what Remember has set.
func (m *Memory) Notes() json.RawMessage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes
}

// Tell keeps news for News.
func (m *Memory) Tell(ctx context.Context, news apply.News) error {
	return m.look(ctx, Call{Verb: "tell", Key: news.Key, Ref: news.Ref}, func() {
		m.news = append(m.news, news)
	})
}

// News returns what was told so far, in order.
func (m *Memory) News() []apply.News {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.news)
}
