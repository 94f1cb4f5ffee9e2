package fault

import (
	"io"
	"strings"
	"testing"
)

func TestADefectNamesTheCallsThatLedToIt(t *testing.T) {
	err := caught(func() { indexOf(nil, 3) })
	if Of(err) != Unreachable || Advice(err) == "" || !strings.Contains(err.Error(), "index out of range [3]") {
		t.Errorf("%s, hint %q: %v", Of(err), Advice(err), err)
	}
	if got := TraceOf(err); !strings.HasPrefix(got, "syncd.io/syncd/internal/fault.indexOf (defect_test.go:") || !strings.Contains(got, " < ") {
		t.Errorf("the trace is %q", got)
	}
	if got := TraceOf(As(Rejected, io.EOF)); got != "" {
		t.Errorf("of another error it is %q", got)
	}
}

func caught(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = Caught(r)
		}
	}()
	do()
	return nil
}

//go:noinline
func indexOf(all []int, i int) int { return all[i] }
