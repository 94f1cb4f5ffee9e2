package kube

// scope is what one watch is about: a kind, in a namespace or in all, in whose name.
type scope struct {
	account   string
	kind      kind
	namespace string
}

// scopeOf is the scope of the watch that shows a kind's objects in a namespace. The
// caller holds the lock.
func (e *Engine) scopeOf(account string, k kind, namespace string) scope {
	at := scope{account: account, kind: k}
	if account != "" || e.confined[at] {
		at.namespace = namespace
	}
	return at
}
