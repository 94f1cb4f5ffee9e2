package notify

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
)

// The log of debugging says of everything that happened, in one line, who is told of it,
// or why nobody is.
func TestEveryDecisionIsInTheLog(t *testing.T) {
	conf := confOf(config.Route{Name: "shop", To: []string{"ops"}, Apps: []string{"shop"}, Remind: duration(time.Hour)}, config.Route{Name: "grave", To: []string{"ops"}, Severity: "error"})
	bubble(t, conf, func(p *place) {
		var said said
		p.end()
		p.log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
		p.start()
		for _, c := range []struct {
			fact Fact
			want string
		}{
			{sync1("shop", "halted", "x"), `msg="people are told" event=halted app=shop fact=1 routes="grave, shop"`},
			{sync1("shop", "halted", "x"), `msg="nobody is told: it goes on as it was told" event=halted app=shop fact=2`},
			{sync1("blog", "rejected", "x"), `msg="nobody is told: no route is for it" event=rejected app=blog fact=3`},
			{sync1("shop", "gibberish", "x"), `msg="nobody is told: it is nothing that people are told of" event="sync gibberish" app=shop fact=4`},
			{drifts("shop", "opened", "container/web/1 missing"), `msg="people are told" event=drift-opened app=shop incident=shop-1 fact=5 routes=shop`},
			{sync1("shop", "applied", ""), `msg="people are told" event=applied app=shop fact=6 routes="grave, shop"`},
		} {
			said.take()
			p.happens(time.Second, c.fact)
			if got := said.take(); strings.Count(got, " fact=") != 1 || !strings.Contains(got, c.want+"\n") {
				t.Errorf("of %s %s it says\n%swant %s", c.fact.Kind, c.fact.Outcome, got, c.want)
			}
		}
		said.take()
		p.wait(2 * time.Hour)
		if got := said.take(); strings.Count(got, `msg="people are reminded" event=drift-opened app=shop incident=shop-1 fact=5 routes=shop`) != 2 || !strings.Contains(got, `msg="a message is queued" route=shop`) {
			t.Errorf("later it says\n%s", got)
		}
	})
}
