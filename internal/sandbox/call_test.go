package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

func self(t *testing.T) Child {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Child{Path: path}
}

func roomy() Limits {
	return Limits{Time: 30 * time.Second, TimeoutClass: fault.Unreachable, Memory: 512 << 20, Output: 1 << 20,
		Network: true, TimeKey: "limits.fetchTime", MemoryKey: "limits.fetchMemory", OutputKey: "limits.renderSize"}
}

func TestCallAnswers(t *testing.T) {
	var out text
	if err := self(t).Call(t.Context(), "echo", text{"hällo"}, &out, roomy()); err != nil {
		t.Fatal(err)
	}
	if out.Text != "hällo" {
		t.Errorf("got %q", out.Text)
	}
}

func TestChildHasNothingOfTheAgent(t *testing.T) {
	t.Setenv("SYNCDTEST_TOKEN", "hunter2")
	var f facts
	if err := self(t).Call(t.Context(), "facts", text{}, &f, roomy()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Env, []string{"LANG=C"}) {
		t.Errorf("environment %q, want only LANG=C", f.Env)
	}
	if f.Dir != "/" || f.Session != f.PID {
		t.Errorf("directory %s, session %d of process %d: want / and a session of its own", f.Dir, f.Session, f.PID)
	}
	if f.Data != 512<<20 {
		t.Errorf("memory limit %d, want %d", f.Data, 512<<20)
	}
}

func TestChildWithoutNetwork(t *testing.T) {
	c, err := Probe(t.Context(), self(t).Path)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 && !c.Isolates() {
		t.Log("root may not make a network namespace here: falling back is all that can be shown")
	}
	limits := roomy()
	var with, without facts
	if err := c.Call(t.Context(), "facts", text{}, &with, limits); err != nil {
		t.Fatal(err)
	}
	limits.Network = false
	if err := c.Call(t.Context(), "facts", text{}, &without, limits); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(without.Env, []string{"LANG=C", "GOGC=200"}) {
		t.Errorf("environment %q, want only the language and the collector's", without.Env)
	}
	if c.Isolates() && !slices.Equal(without.Interfaces, []string{"lo"}) {
		t.Errorf("interfaces without network: %q, want lo alone", without.Interfaces)
	}
	if !c.Isolates() && !slices.Equal(with.Interfaces, without.Interfaces) {
		t.Errorf("interfaces %q and %q: want the same where nothing can be isolated", with.Interfaces, without.Interfaces)
	}
}

func TestCallFailures(t *testing.T) {
	for _, c := range []struct {
		op     string
		change func(*Limits)
		class  fault.Class
		text   string
		hint   string
	}{
		{"reject", nil, fault.Rejected, "bad field x", "mend it"},
		{"hog", func(l *Limits) { l.Memory = 256 << 20 }, fault.Rejected, "hog needs more than 256 MiB of memory", "limits.fetchMemory"},
		{"hang", func(l *Limits) { l.Time = 300 * time.Millisecond }, fault.Unreachable, "longer than 300ms", "limits.fetchTime"},
		{"spin", func(l *Limits) { l.Time = 300 * time.Millisecond }, fault.Unreachable, "longer than 300ms", "limits.fetchTime"},
		{"spin", func(l *Limits) { l.Time, l.TimeoutClass = 2*time.Second, fault.Rejected }, fault.Rejected, "longer than 2s", "limits.fetchTime"},
		{"hang", func(l *Limits) { l.Time, l.TimeoutClass = 300*time.Millisecond, fault.Rejected }, fault.Unreachable, "longer than 300ms and was ended, having computed for only", "overloaded"},
		{"crowd", func(l *Limits) { l.TimeoutClass = fault.Rejected }, fault.Unreachable, "crowd got no more threads from the system", "TasksMax"},
		{"mute", nil, fault.Unreachable, "write the answer", ""},
		{"flood", nil, fault.Rejected, "longer than 1048576 bytes", "limits.renderSize"},
		{"panic", func(l *Limits) { l.TimeoutClass = fault.Rejected }, fault.Rejected, "boom", ""},
		{"killed", nil, fault.Unreachable, "killed from outside", "dmesg"},
		{"babble", nil, fault.Unreachable, "decode the answer", ""},
		{"nosuchop", nil, fault.Blocked, "usage: syncd-render", "one version"},
	} {
		t.Run(c.op+" "+c.class.String(), func(t *testing.T) {
			limits := roomy()
			if c.change != nil {
				c.change(&limits)
			}
			in := text{"x"}
			if c.op == "hang" {
				in.Text = ""
			}
			var out text
			err := self(t).Call(t.Context(), c.op, in, &out, limits)
			if err == nil || fault.Of(err) != c.class || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.Advice(err), c.hint) {
				t.Errorf("got %v (%v, hint %q), want %q (%v, hint %q)", err, fault.Of(err), fault.Advice(err), c.text, c.class, c.hint)
			}
			if err != nil && strings.ContainsAny(err.Error()+fault.Advice(err), "\x1b\u202e\n") {
				t.Errorf("the text is not harmless: %q, %q", err, fault.Advice(err))
			}
		})
	}
}

func TestSeveralProblemsKeepTheirLines(t *testing.T) {
	err := self(t).Call(t.Context(), "list", text{"bad\u2028too"}, &text{}, roomy())
	if want := "field a: bad\nfield b: badtoo"; err == nil || err.Error() != want || fault.Of(err) != fault.Rejected {
		t.Errorf("got %q (%v), want %q", err, fault.Of(err), want)
	}
}

func TestCancelledCallEndsTheChild(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("shutting down")
	done := make(chan error, 1)
	go func() { done <- self(t).Call(ctx, "hang", text{file}, &text{}, roomy()) }()
	pid := await(t, file)
	cancel(stopped)
	select {
	case err := <-done:
		if !errors.Is(err, stopped) || fault.Of(err) != fault.Unknown {
			t.Errorf("got %v (%v), want the context's cause", err, fault.Of(err))
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the call did not end")
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}

// await polls for the process id that a child writes.
func await(t *testing.T, file string) int {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(file)
		if err == nil && len(data) > 0 {
			pid, err := strconv.Atoi(string(data))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the child did not start")
		}
	}
}

// A child is to blame for its time only where it used a good part of it.
func TestWhoIsToBlameForTheTime(t *testing.T) {
	limits := Limits{Time: time.Minute, TimeKey: "limits.renderTime"}
	for _, c := range []struct {
		class fault.Class
		cpu   time.Duration
		want  fault.Class
	}{
		{fault.Rejected, time.Minute, fault.Rejected},
		{fault.Rejected, 6 * time.Second, fault.Rejected},
		{fault.Rejected, 5 * time.Second, fault.Unreachable},
		{fault.Rejected, 0, fault.Unreachable},
		{fault.Unreachable, time.Minute, fault.Unreachable},
	} {
		limits.TimeoutClass = c.class
		if err := limits.tooSlow("render", c.cpu); fault.Of(err) != c.want || fault.Advice(err) == "" {
			t.Errorf("%v of a minute, %v: %v (%v, hint %q), want %v", c.cpu, c.class, err, fault.Of(err), fault.Advice(err), c.want)
		}
	}
}

func TestCallNeedsLimits(t *testing.T) {
	if err := self(t).Call(t.Context(), "echo", text{}, &text{}, Limits{}); err == nil {
		t.Error("a call without limits was made")
	}
}

func TestProbeOfSomethingElse(t *testing.T) {
	for _, path := range []string{"/nonexistent/syncd-render", "/bin/false"} {
		_, err := Probe(t.Context(), path)
		if fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "install syncd-render") {
			t.Errorf("%s: got %v (%v), hint %q", path, err, fault.Of(err), fault.Advice(err))
		}
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("shutting down")
	cancel(stopped)
	if c, err := Probe(ctx, self(t).Path); !errors.Is(err, stopped) || c.Path != "" {
		t.Errorf("got %+v, %v; want the context's cause", c, err)
	}
}

func TestServeWantsAnOperationAndALimit(t *testing.T) {
	for _, args := range [][]string{nil, {"echo"}, {"echo", "x"}, {"echo", "-1"}, {"nosuchop", "100"}, {"echo", "100", "more"}} {
		var out, messages strings.Builder
		if got := Serve(t.Context(), children(), args, strings.NewReader("{}"), &out, &messages); got != exitUsage {
			t.Errorf("%q: exit status %d, want %d", args, got, exitUsage)
		}
		if !strings.HasPrefix(messages.String(), "usage: syncd-render") || out.Len() > 0 {
			t.Errorf("%q: stdout %q, stderr %q", args, out.String(), messages.String())
		}
	}
}

func TestHandleRefusesAnotherVersionsRequest(t *testing.T) {
	none := func(any) error { return nil }
	err := Handle(func(context.Context, text) (text, error) { return text{}, nil })(t.Context(), []byte(`{"Text":"x","New":1}`), none)
	if fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "one version") {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}

func BenchmarkCall(b *testing.B) {
	path, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c, err := Probe(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	for _, network := range []bool{true, false} {
		b.Run("network="+strconv.FormatBool(network), func(b *testing.B) {
			limits := roomy()
			limits.Network = network
			for b.Loop() {
				if err := c.Call(b.Context(), "echo", text{"x"}, &text{}, limits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestNoStrangerIsKilled: once a child was waited for, its number may be
// somebody else's.
func TestNoStrangerIsKilled(t *testing.T) {
	cmd := self(t).command(t.Context(), true, "version")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Cancel(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal was sent to number %d: %v", cmd.Process.Pid, err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := Find(t.Context()); fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "install syncd-render") {
		t.Errorf("without a child: %v (%v, hint %q)", err, fault.Of(err), fault.Advice(err))
	}
	path := filepath.Join(dir, Program)
	if err := os.Symlink(self(t).Path, path); err != nil {
		t.Fatal(err)
	}
	if c, err := Find(t.Context()); err != nil || c.Path != path {
		t.Errorf("on the PATH: %+v, %v", c, err)
	}
}

// How a child ended is told to who counts, whatever came of the call.
func TestEndingsAreTold(t *testing.T) {
	for _, c := range []struct {
		op     string
		change func(*Limits)
		want   Ending
	}{
		{"echo", nil, Answered}, {"reject", nil, Refused}, {"flood", nil, Killed}, {"panic", nil, Crashed}, {"killed", nil, Crashed},
		{"hang", func(l *Limits) { l.Time = 100 * time.Millisecond }, Killed},
	} {
		limits, told := roomy(), []Run(nil)
		if c.change != nil {
			c.change(&limits)
		}
		child := self(t)
		child.Ran = func(r Run) { told = append(told, r) }
		var out text
		err := child.Call(t.Context(), c.op, text{}, &out, limits)
		if len(told) != 1 || told[0].Operation != c.op || told[0].Outcome != c.want || told[0].Took <= 0 {
			t.Errorf("%s (%v) was told as %v, want %s", c.op, err, told, c.want)
		}
	}
	gone, end := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, end)
	child, told := self(t), []Run(nil)
	child.Ran = func(r Run) { told = append(told, r) }
	if err := child.Call(gone, "hang", text{}, &text{}, roomy()); err == nil || len(told) != 1 || told[0].Outcome != Canceled {
		t.Errorf("a call that nobody waits for (%v) was told as %v", err, told)
	}
}
