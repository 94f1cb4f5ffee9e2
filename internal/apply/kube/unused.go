package kube

import (
	"maps"
	"slices"
	"time"
	"weak"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// unusedFor is how long a watch goes on that nobody asks for, and that shows nothing
// of any app.
const unusedFor = 10 * time.Minute

// user is an app, by what it has of one kind in one namespace, in whose name.
type user struct {
	account   string
	kind      schema.GroupKind
	namespace string
}

// tidySoon has the watches gone over after a while: somebody has begun to use one, or
// has ceased to.
func (e *Engine) tidySoon() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armTidy()
}

// armTidy does so, once. The caller holds the lock.
func (e *Engine) armTidy() {
	if e.tidying == nil && e.life.Err() == nil {
		e.tidying = time.AfterFunc(unusedFor, func() { e.tidy(unusedFor) })
	}
}

// tidy ends the watches whose last user is gone and that nobody has asked for in that
// time, and forgets what only those needed.
func (e *Engine) tidy(unused time.Duration) {
	ledgers := e.liveLedgers()
	users := map[user]bool{}
	apps := map[string][]string{} // by account
	for app, l := range ledgers {
		for _, account := range l.inNames() {
			apps[account] = append(apps[account], app)
			l.uses(account, users)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tidying = nil
	for at, s := range e.scopes {
		switch {
		case users[at.user()] || s.showsAny(apps[at.account]):
		case time.Since(s.asked) < unused:
			e.armTidy() // it is looked at again then
		default:
			delete(e.scopes, at)
			s.end()
		}
	}
	e.forgetConfined()
	e.forgetUnused(apps)
}

// forgetConfined drops what is known of kinds that are watched nowhere any more: as long
// as one is, its watch of all namespaces is not tried again. The caller holds the lock.
func (e *Engine) forgetConfined() {
	watched := map[scope]bool{}
	for at := range e.scopes {
		watched[scope{account: at.account, kind: at.kind}] = true
	}
	maps.DeleteFunc(e.confined, func(at scope, _ bool) bool { return !watched[at] })
}

// forgetUnused drops the clients of accounts that nothing is done in the name of, and
// answers that hold no more. The caller holds the lock.
func (e *Engine) forgetUnused(apps map[string][]string) {
	accounts := map[string]bool{"": true}
	for at := range e.scopes {
		accounts[at.account] = true
	}
	for at := range e.lookouts {
		accounts[at.account] = true
	}
	for account := range e.identities {
		if !accounts[account] && len(apps[account]) == 0 {
			delete(e.identities, account)
		}
	}
	for at, s := range e.surveys {
		if s.over(time.Now()) {
			delete(e.surveys, at)
		}
	}
	maps.DeleteFunc(e.joints, func(_ scope, j *joint) bool { return j.isOver() })
	for at, known := range e.scaled {
		if time.Since(known.at) >= scalesFor {
			delete(e.scaled, at)
		}
	}
}

// user is who would use a watch.
func (at scope) user() user {
	return user{at.account, at.kind.gvk.GroupKind(), at.namespace}
}

// showsAny tells whether a watch shows something that is labelled as one of the apps'.
func (s *scoped) showsAny(apps []string) bool {
	for _, app := range apps {
		if items, err := s.informer.GetIndexer().ByIndex(byApp, app); err == nil && len(items) > 0 {
			return true
		}
	}
	return false
}

// uses adds what is remembered of an app's objects, in an account's name, each for its
// own namespace and for all.
func (l *ledger) uses(account string, users map[user]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		of := user{account, schema.FromAPIVersionAndKind(e.APIVersion, e.Kind).GroupKind(), e.Namespace}
		users[of] = true
		of.namespace = ""
		users[of] = true
	}
}

// inNames is in whose names the app's targets look at it: one that answers questions
// may do so in another's than the passes do.
func (l *ledger) inNames() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.accounts, func(t weak.Pointer[Target], _ string) bool { return t.Value() == nil })
	return slices.Compact(slices.Sorted(maps.Values(l.accounts)))
}

// actsAs notes in whose name a target looks; changed is true where it was another.
func (l *ledger) actsAs(t *Target, account string) (changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	who := weak.Make(t)
	before, known := l.accounts[who]
	if l.accounts == nil {
		l.accounts = map[weak.Pointer[Target]]string{}
	}
	l.accounts[who] = account
	return known && before != account
}

// liveLedgers are those of apps that have a target, by app; the others are forgotten.
func (e *Engine) liveLedgers() map[string]*ledger {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]*ledger{}
	for app, kept := range e.ledgers {
		if l := kept.Value(); l != nil {
			out[app] = l
		} else {
			delete(e.ledgers, app)
		}
	}
	return out
}
