package kube_test

import (
	"bytes"
	"fmt"
	"os"
	"sync"

	"github.com/go-logr/logr/funcr"
	"k8s.io/klog/v2"
)

// aside keeps what the cluster's client says beside the agent's log: an agent's
// standard error is its log and nothing else.
type aside struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// listenAside hears what is said from now on.
func listenAside() *aside {
	a := &aside{}
	klog.SetLogger(funcr.New(func(prefix, args string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		fmt.Fprintln(&a.lines, prefix, args)
	}, funcr.Options{}))
	return a
}

// silent tells whether nothing was said, and prints what was.
func (a *aside) silent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lines.Len() == 0 {
		return true
	}
	fmt.Fprintf(os.Stderr, "said beside the agent's log:\n%s", a.lines.String())
	return false
}
