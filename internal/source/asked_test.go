package source_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

func TestQuestionsToRemotesAreTold(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	first := g.commit("one")
	main := serveSwitched(t, g)
	var told []string
	h := newHost(t, main.URL, nil, func(o *source.Options) {
		o.Asked = func(a source.Asked) {
			if a.Took <= 0 || a.Took > time.Hour || !strings.HasPrefix(main.URL, a.Remote) {
				t.Errorf("told was %+v", a)
			}
			told = append(told, fmt.Sprint(a.Operation, " ", a.Outcome))
		}
	})
	h.takes("the first revision", first)
	main.off.Store(true)
	h.refuses("a server that is down", fault.Unreachable)
	if want := []string{"query ok", "fetch ok", "history ok", "query unreachable"}; !slices.Equal(told, want) {
		t.Errorf("told were %q, want %q", told, want)
	}
}
