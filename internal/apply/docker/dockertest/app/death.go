package main

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// death is an end that takes no request along: whatever has come is answered.
type death struct {
	near  atomic.Bool
	inner atomic.Int64 // requests that are being answered
	last  atomic.Int64 // when the last one came or went
}

// known tells clients, once the end is near, not to come back.
func (d *death) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.inner.Add(1)
		d.last.Store(time.Now().UnixNano())
		defer func() {
			d.last.Store(time.Now().UnixNano())
			d.inner.Add(-1)
		}()
		if d.near.Load() {
			w.Header().Set("Connection", "close")
		}
		if r.URL.Path == "/socket" { // it may stay for ever
			d.inner.Add(-1)
			defer d.inner.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

// come lets nobody in any more, and returns the exit code when it has been quiet
// for a while, but soon in any case.
func (d *death) come(l net.Listener) int {
	const quiet, most = time.Second, 5 * time.Second
	if err := deafen(l); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	d.near.Store(true)
	begun := time.Now()
	tick := time.NewTicker(quiet / 10)
	defer tick.Stop()
	for now := range tick.C {
		last := time.Unix(0, d.last.Load())
		if now.Sub(begun) > most || now.Sub(begun) > quiet && now.Sub(last) > quiet && d.inner.Load() == 0 {
			break
		}
	}
	return 7
}

// deafen refuses who knocks from now on, and keeps who is in the kernel's queue:
// it binds the listener to an interface that there is none of.
func deafen(l net.Listener) error {
	const bindToIfIndex = 62 // SO_BINDTOIFINDEX, socket(7)
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, bindToIfIndex, math.MaxInt32)
	})
	if err != nil {
		return err
	}
	return failed
}
