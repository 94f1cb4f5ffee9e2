package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

func TestWhoWantsToBeLeftAloneIsHeard(t *testing.T) {
	busy := Later(Hint(As(Unreachable, io.EOF), "wait"), time.Minute)
	for name, c := range map[string]struct {
		err  error
		want time.Duration
	}{
		"nobody": {nil, 0}, "somebody else": {io.EOF, 0}, "at once": {Later(io.EOF, 0), 0}, "before": {Later(io.EOF, -time.Second), 0},
		"busy": {busy, time.Minute}, "wrapped": {fmt.Errorf("fetch: %w", As(Unreachable, busy)), time.Minute},
		"joined": {errors.Join(io.EOF, busy), time.Minute}, "twice": {Later(busy, time.Second), time.Second},
	} {
		if got := After(c.err); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if Of(busy) != Unreachable || Advice(busy) != "wait" || busy.Error() != "EOF" || !errors.Is(busy, io.EOF) || Later(nil, time.Hour) != nil {
		t.Errorf("it is %v (%v, hint %q)", busy, Of(busy), Advice(busy))
	}
}
