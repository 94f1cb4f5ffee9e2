package apply_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
)

// slowly lets a stop take a second and a put half of one.
func slowly(m *applytest.Memory) {
	takes := map[string]time.Duration{"stop": time.Second, "put": 500 * time.Millisecond}
	m.OnCall(func(c applytest.Call) error {
		time.Sleep(takes[c.Verb]) //nolint:forbidigo // fake time
		return nil
	})
}

func told(gaps []apply.Gap) string {
	var lines []string
	for _, g := range apply.Longest(gaps) {
		lines = append(lines, g.String())
	}
	return strings.Join(lines, "\n")
}

// What a rollout took away from a service is measured, whoever comes next.
func TestGapsAreMeasured(t *testing.T) {
	for name, c := range map[string]struct{ live, want, gaps string }{
		"start-first": {"web v1", "web v2", ""},
		"stop-first":  {"web v1 port=80", "web v2 port=80 health=slow:2s", "web 3.50 s without an instance"},
		"a probe that nobody has": {
			"web v1 port=80", "web v2 port=80 health=running", "web 1.50 s without an instance"}, // it runs; that it goes on is seen later
		"one replica after the other": {
			"web*3 v1", "web*3 v2 order=stop-first health=slow:1s", "web 2.50 s without an instance"},
		"a port that another service had": {
			"old v1 port=80", "new v1 port=80", "new 1.50 s without an instance"},
		"a gate takes a port over": {
			"web v1 port=80", "web v1\nroute web 80 tcp", "web 1.50 s without its port 80"},
		"and lets a single writer's connections wait": {
			"web v1 port=80 writes=data", "web v1 writes=data health=slow:2s\nroute web 80 tcp",
			"web 1.50 s without its port 80\nweb 4.50 s without an instance, in which the gate let new connections wait"},
		"a gate gives its port back": {
			"web v1\nroute web 80 tcp", "web v1 port=80", "web 1.50 s without its port 80, which its gate gave back"},
		"a gate holds": {
			"web v1 writes=data\nroute web 80 tcp", "web v2 writes=data\nroute web 80 tcp",
			"web 2.00 s without an instance, in which the gate let new connections wait"},
		"a network made anew": {
			"network front bridge\nweb v1 on=front", "network front overlay\nweb v1 on=front", "web 2.00 s without an instance"},
		"a job": {"migrate v1 job health=exit:0:2h", "migrate v2 job", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := change{live: c.live, want: c.want, before: slowly}.run(t.Context(), t)
				d.wantOK(t)
				if got := told(d.outcome.Gaps); got != c.gaps {
					t.Errorf("measured\n%s\n\nwant\n%s\n\nof\n%s", got, c.gaps, d.plan)
				}
			})
		})
	}
}

// A version that never came up was a gap too, until the old one was back.
func TestTheWayBackEndsTheGap(t *testing.T) {
	bubble(t, func(ctx context.Context, t *testing.T) {
		d := change{live: "web v1 port=80", want: "web v2 port=80 health=never ready=10s", before: slowly}.run(ctx, t)
		if len(d.outcome.Failures) != 1 || len(d.outcome.Gaps) != 0 {
			t.Fatalf("outcome %+v", d.outcome)
		}
		req := request(t, d, set(t, "web v1 port=80"), nil)
		req.Back = true
		back := rollout(d)
		back.Before = &d.outcome
		if got := told(back.Run(ctx, plan(t, req)).Gaps); got != "web 13.00 s without an instance" {
			t.Errorf("measured %q", got)
		}
	})
}
