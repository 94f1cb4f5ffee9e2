package reconcile

import "sync"

// listeners are those who asked to hear what happens while their request is
// carried out.
type listeners struct {
	mu   sync.Mutex
	next int
	all  map[int]func(Event)
}

// add registers a listener and returns how to end that. After the end it is not
// called any more.
func (l *listeners) add(hear func(Event)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[int]func(Event){}
	}
	id := l.next
	l.next++
	l.all[id] = hear
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.all, id)
	}
}

func (l *listeners) tell(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, hear := range l.all {
		hear(e)
	}
}

func (a *Agent) listenIn(hear func(Event)) (stop func()) {
	if hear == nil {
		return func() {}
	}
	return a.listeners.add(hear)
}
