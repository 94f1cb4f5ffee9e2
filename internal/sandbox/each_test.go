package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

// answers collects what an operation gives; errors are told by their class.
func answers(ctx context.Context, t *testing.T, in string, limits Limits) ([]string, error) {
	t.Helper()
	var got []string
	err := CallEach(ctx, self(t), "each", text{in}, func(out text, err error) error {
		if err != nil {
			out.Text = fault.Of(err).String() + ": " + err.Error()
		}
		got = append(got, out.Text[:min(len(out.Text), 30)])
		return nil
	}, limits)
	return got, err
}

// Every answer is its own: what comes of one, or of the child after it, takes nothing
// from those that came before.
func TestEachAnswerIsItsOwn(t *testing.T) {
	x := strings.Repeat("x", 30)
	for _, c := range []struct {
		in   string
		want []string
		err  string // in the end
	}{
		{"a b", []string{"a", "b"}, ""},
		{"", nil, ""},
		{"a reject b", []string{"a", "rejected: bad field x", "b"}, ""},
		{"half half half", []string{x, x, x}, ""}, // together more than the limit of one
		{"a wait wait wait wait b", []string{"a", "wait", "wait", "wait", "wait", "b"}, ""},
		{"a hang b", []string{"a"}, "longer than 5s"},
		{"a killed b", []string{"a"}, "killed from outside"},
		{"a flood b", []string{"a"}, "longer than 1048576 bytes"},
		{"a give-up b", []string{"a"}, "no more"},
		{"give-up", nil, "no more"},
	} {
		t.Run(c.in, func(t *testing.T) {
			limits := roomy()
			limits.Time = 5 * time.Second
			got, err := answers(t.Context(), t, c.in, limits)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("in the end: %v, want %q", err, c.err)
			}
		})
	}
}

func TestAnswersComeAsTheyAreMade(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	err := CallEach(ctx, self(t), "each", text{"a hang"}, func(text, error) error {
		cancel(enough)
		return nil
	}, roomy())
	if !errors.Is(err, enough) {
		t.Errorf("got %v, want the context's cause after the first answer", err)
	}
}

func TestWhoTakesTheAnswersMayEndTheChild(t *testing.T) {
	enough := errors.New("enough")
	for _, in := range []string{"a", "a b", "a hang"} {
		count := 0
		err := CallEach(t.Context(), self(t), "each", text{in}, func(text, error) error {
			count++
			return enough
		}, roomy())
		if !errors.Is(err, enough) || count != 1 {
			t.Errorf("%s: got %v after %d answers, want one", in, err, count)
		}
	}
}

func TestEachAnswerFollowsTheProtocol(t *testing.T) {
	for _, op := range []string{"babble", "echo"} {
		err := CallEach(t.Context(), self(t), op, text{"x"}, func(text, error) error { return nil }, roomy())
		if err == nil || !strings.Contains(err.Error(), "decode the answer of "+op) {
			t.Errorf("%s: %v", op, err)
		}
	}
}
