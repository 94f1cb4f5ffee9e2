package notify

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
)

// A route that can tell nothing, or not all that it says, is named before it is needed.
func TestARouteThatTellsNothingIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		route config.Route
		want  string
	}{
		"all":               {config.Route{}, ""},
		"grave enough":      {config.Route{Events: []string{"halted", "rejected"}, Severity: "warning"}, ""},
		"none grave enough": {config.Route{Events: []string{"rejected", "drift-opened"}, Severity: "error"}, "route r tells nothing: of its events, none is of severity error"},
		"one not":           {config.Route{Events: []string{"halted", "rejected"}, Severity: "error"}, "route r does not tell of rejected, which is less than error"},
		"an end":            {config.Route{Events: []string{"halted", "applied"}, Severity: "error"}, ""},
		"ends alone":        {config.Route{Events: []string{"applied"}, Severity: "error"}, "route r tells nothing: of its events, none is of severity error"},
		"of no app":         {config.Route{Apps: []string{"shop"}, Events: []string{"source-stale", "source-diverged"}}, "route r tells nothing: its events are of the repository, and of no app"},
		"of no owner":       {config.Route{Owner: "shop", Events: []string{"source-stale"}}, "route r tells nothing: its events are of the repository, and of no app"},
	} {
		c.route.Name, c.route.To = "r", []string{"ops"}
		notes, err := Check(t.Context(), toOps(c.route), nil, inProcess)
		if got := strings.Join(notes, "; "); err != nil && !strings.Contains(err.Error(), "channel") || got != c.want {
			t.Errorf("%s: it says %q (%v), want %q", name, got, err, c.want)
		}
	}
}

// Globs and owners are held against the apps that there are, as soon as these are known.
func TestARouteOfNoAppThatThereIsIsNamed(t *testing.T) {
	conf := confOf(
		config.Route{Name: "shop", To: []string{"ops"}, Apps: []string{"shop*"}}, config.Route{Name: "typo", To: []string{"ops"}, Apps: []string{"shpo*"}},
		config.Route{Name: "all", To: []string{"ops"}}, config.Route{Name: "owner", To: []string{"ops"}, Owner: "Team-Shop"}, config.Route{Name: "nobody", To: []string{"ops"}, Owner: "team-blog"},
	)
	bubble(t, conf, func(p *place) {
		var said said
		var apps atomic.Pointer[map[string]string]
		apps.Store(new(map[string]string))
		p.end()
		p.apps = func() map[string]string { return *apps.Load() }
		p.log = slog.New(slog.NewTextHandler(&said, nil))
		p.start()
		p.wait(10 * time.Minute)
		if got := said.take(); got != "" {
			t.Errorf("of apps that are not known yet it says %s", got)
		}
		apps.Store(&map[string]string{"shop-a": "team-shop", "wiki": ""})
		p.wait(10 * time.Minute)
		if got := said.take(); strings.Count(got, "level=WARN") != 2 || !strings.Contains(got, "route=typo") || !strings.Contains(got, "route=nobody") {
			t.Errorf("it says %s", got)
		}
	})
}
