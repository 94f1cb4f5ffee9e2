package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestClassSurvivesWrapping(t *testing.T) {
	base := As(Unreachable, io.ErrUnexpectedEOF)
	for _, c := range []struct {
		name   string
		err    error
		class  Class
		advice string
	}{
		{"nil", nil, Unknown, ""},
		{"plain", io.EOF, Unknown, ""},
		{"classified", base, Unreachable, ""},
		{"wrapped", fmt.Errorf("ask: %w", base), Unreachable, ""},
		{"hint keeps the class", Hint(fmt.Errorf("ask: %w", base), "wait"), Unreachable, "wait"},
		{"hint on a plain error", Hint(io.EOF, "wait"), Unknown, "wait"},
		{"the outermost class wins", As(Rejected, fmt.Errorf("pull: %w", base)), Rejected, ""},
		{"the outermost hint wins", Hint(Hint(base, "inner"), "outer"), Unreachable, "outer"},
		{"an inner hint is found", As(Blocked, Hint(base, "inner")), Blocked, "inner"},
		{"joined", errors.Join(io.EOF, base), Unreachable, ""},
		{"a hint around an unknown class", &fault{advice: "x", err: fmt.Errorf("a: %w", base)}, Unreachable, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Of(c.err); got != c.class {
				t.Errorf("class %s, want %s", got, c.class)
			}
			if got := Advice(c.err); got != c.advice {
				t.Errorf("advice %q, want %q", got, c.advice)
			}
		})
	}
}

func TestTextAndCauseStay(t *testing.T) {
	err := Hint(As(Rejected, fmt.Errorf("create web: %w", io.ErrClosedPipe)), "free the port")
	if err.Error() != "create web: "+io.ErrClosedPipe.Error() {
		t.Errorf("text %q", err)
	}
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Error("the cause is lost")
	}
}

func TestNoErrorStaysNone(t *testing.T) {
	if As(Rejected, nil) != nil || Hint(nil, "x") != nil {
		t.Error("nil became an error")
	}
}

func TestClassNames(t *testing.T) {
	for class, want := range map[Class]string{Unknown: "unknown", Unreachable: "unreachable", Rejected: "rejected", Unhealthy: "unhealthy", Blocked: "blocked", 99: "unknown"} {
		if class.String() != want {
			t.Errorf("%d is %q, want %q", class, class, want)
		}
	}
}
