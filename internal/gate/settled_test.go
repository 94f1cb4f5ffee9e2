package gate

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// settles asks a gate that may wait with its answer, and returns the answer.
func settles(t *testing.T, dir string, table []byte, wait time.Duration) <-chan Answer {
	t.Helper()
	got := make(chan Answer, 1)
	go func() {
		defer close(got)
		a, err := AskSettled(t.Context(), dir, table, wait)
		if err != nil {
			t.Error(err)
			return
		}
		got <- a
	}()
	return got
}

// not sees that nothing is answered for a moment.
func not(t *testing.T, got <-chan Answer) {
	t.Helper()
	select {
	case a := <-got:
		t.Fatalf("it says already %+v", a)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestASettledGateAnswersAtOnce(t *testing.T) {
	x, y := serve(t, 1, echo), serve(t, 2, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, x, y).draining(y.ID))
	connect(t, g).hears(x.ID) // who stays may have something in flight
	began := time.Now()
	a := <-settles(t, dir, nil, longestWait)
	if took := time.Since(began); took > longestWait/2 {
		t.Errorf("it took %s", took)
	}
	if a.Unsettled() != "" || !a.Listening {
		t.Errorf("it says %+v", a)
	}
}

func TestAnAnswerWaitsForTheLastOneToEnd(t *testing.T) {
	x, y := serve(t, 1, echo), serve(t, 2, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, x))
	one, two := connect(t, g), connect(t, g)
	one.hears(x.ID)
	two.hears(x.ID)
	raw, err := table(TCP, x, y).draining(x.ID).Encode()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got := settles(t, dir, raw, longestWait) // hands over, too
	not(t, got)
	_ = one.Close()
	not(t, got)
	_ = two.Close()
	if a := <-got; a.Unsettled() != "" || a.Backends[0].InFlight != 0 || a.Digest == "" {
		t.Errorf("it says %+v", a)
	}
	if took := time.Since(began); took > longestWait-time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAnAnswerWaitsNoLongerThanItMay(t *testing.T) {
	b := serve(t, 1, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, b))
	connect(t, g).hears(b.ID)
	apply(t, g, table(TCP, b).draining(b.ID))
	for _, wait := range []time.Duration{-time.Second, 0, 30 * time.Millisecond} {
		began := time.Now()
		a := <-settles(t, dir, nil, wait)
		if took := time.Since(began); took < wait || took > longestWait/2 {
			t.Errorf("it took %s, not %s", took, wait)
		}
		if want := "1 connections end"; !strings.Contains(a.Unsettled(), want) {
			t.Errorf("it says %q, want %q", a.Unsettled(), want)
		}
	}
}

func TestAnAnswerWaitsForThePort(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	dir := place(t)
	g := startIn(t.Context(), t, dir, other.Addr().String())
	apply(t, g, table(TCP, serve(t, 1, echo)))
	got := settles(t, dir, nil, longestWait)
	not(t, got)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if a := <-got; !a.Listening || a.Unsettled() != "" {
		t.Errorf("it says %+v", a)
	}
}

func TestTheEndWaitsForNoAnswer(t *testing.T) {
	b := serve(t, 1, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, b))
	connect(t, g).hears(b.ID)
	apply(t, g, table(TCP, b).draining(b.ID))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = AskSettled(t.Context(), dir, nil, longestWait) // whether it hears anything is chance
	}()
	began := time.Now()
	g.Close()
	<-answered
	if took := time.Since(began); took > longestWait/2 {
		t.Errorf("it took %s", took)
	}
}

func TestACallerHasToSayHowLong(t *testing.T) {
	dir := place(t)
	startIn(t.Context(), t, dir, "127.0.0.1:0")
	conn, err := net.Dial("unix", filepath.Join(dir, socketFile))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := converse(conn.(*net.UnixConn), []byte(good))
	if err != nil || r.Class != fault.Rejected || !strings.Contains(r.Error, "how long") {
		t.Errorf("it says %+v, %v", r, err)
	}
}
