package fault

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// mostFrames is how many calls a defect names.
const mostFrames = 16

// Defect is a mistake of this program that was caught where it would have ended it.
type Defect struct {
	text string
	// Trace are the calls that led to it, the innermost first, on one line.
	Trace string
}

// Error says what went wrong, as the runtime does.
func (d *Defect) Error() string { return "a defect of syncd: " + d.text }

// Caught makes a Defect of what recover returned, in the deferred function that called
// it. It is Unreachable: nobody else is to blame for it, and it is tried again.
func Caught(recovered any) error {
	d := &Defect{text: fmt.Sprint(recovered), Trace: trace()}
	return Hint(As(Unreachable, d), "it is tried again, and nothing else is held up; report it, with the calls that the agent's log names")
}

// TraceOf is the trace of the Defect in err's chain; empty where there is none.
func TraceOf(err error) string {
	var d *Defect
	if !errors.As(err, &d) {
		return ""
	}
	return d.Trace
}

// trace names the calls below the panic.
func trace() string {
	counters := make([]uintptr, mostFrames+8)
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters)])
	var out []string
	for more, below := true, false; more && len(out) < mostFrames; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
			below = below || f.Function == "runtime.gopanic"
		case below:
			out = append(out, fmt.Sprintf("%s (%s:%d)", f.Function, filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(out, " < ")
}
