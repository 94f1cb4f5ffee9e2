package reconcile

import (
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/schedule"
)

// rulesOf are the rules for fields that may differ.
func rulesOf(d config.Drift) []drift.Rule {
	var out []drift.Rule
	for _, i := range d.Ignore {
		out = append(out, drift.Rule{Objects: i.Objects, Fields: i.Fields, Reason: i.Reason})
	}
	return out
}

// IdleRules says which rules of an app name objects that it does not have, one line
// each.
func IdleRules(d config.Drift, objects []resource.Object) []string {
	if len(d.Ignore) == 0 {
		return nil
	}
	keys := make([]resource.Key, 0, len(objects))
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return drift.Idle(rulesOf(d), keys)
}

// yielding returns pairs whose wanted side has the live value of what is ignored,
// where the instance stays: what mends the rest of it leaves that alone.
func yielding(pairs []resource.Pair, report drift.Report, rules []drift.Rule) []resource.Pair {
	if len(rules) == 0 {
		return pairs
	}
	for i, f := range report.Findings {
		if len(f.Ignored) > 0 && f.Match != drift.None && pairs[i].Want != nil {
			want := drift.Yield(pairs[i], f.Match, rules)
			pairs[i].Want = &want
		}
	}
	return pairs
}

// untilLook is the time until the app is to be looked at in full by drift.schedule,
// and never longer than longest.
func (w *worker) untilLook(longest time.Duration) time.Duration {
	text := w.agent.opts.Host.Drift.Schedule
	if c := w.agent.catalog.Load(); c != nil {
		if own := c.settings(w.read()).Drift.Schedule; own != "" {
			text = own
		}
	}
	if text == "" {
		return longest
	}
	times, err := schedule.Parse(text, "")
	if err != nil { // it was read before, strictly
		return longest
	}
	now := w.agent.opts.Now()
	if next := times.Next(now); !next.IsZero() {
		return min(longest, next.Sub(now))
	}
	return longest
}
