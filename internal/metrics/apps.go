package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// App is what is known of one app. Times are zero where there was none.
type App struct {
	Name string
	// Good and Wanted are the commits of the revision that runs and of the one that is
	// asked for, GoodTime and WantedTime when these were made.
	Good, Wanted         string
	GoodTime, WantedTime time.Time
	// Synced is when a pass last ended with what is wanted running, and healthy.
	Synced time.Time
	// Outcome is that of the last pass; empty before the first.
	Outcome              string
	Quarantined          int
	Held, Halted, Paused bool
	// Drift is how many objects differ, by how; Passes how many ended, by outcome.
	Drift     map[string]int
	Passes    map[string]uint64
	Rollbacks uint64
}

// Apps says what the agent knows of its apps, without asking anybody.
type Apps interface {
	Apps() []App
}

// apps collects what is known of each app.
type apps struct {
	from Apps
	most *names

	info, outcome, synced, good, wanted *prometheus.Desc
	passes, rollbacks, drift            *prometheus.Desc
	quarantined, held, halted, paused   *prometheus.Desc
}

// OfApps collects what is known of each app. The first thousand have labels of their
// own; of all others numbers are added up, and times are the earliest.
func OfApps(from Apps) Collector { return ofApps(from, mostNames) }

func ofApps(from Apps, most int) Collector {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("syncd_"+name, help, append([]string{"app"}, labels...), nil)
	}
	return &apps{
		from: from, most: newNames(most),
		info:        of("app_info", "1; which revision is good, and which one is asked for.", "good", "wanted"),
		outcome:     of("app_outcome", "1; how the app's last pass ended.", "outcome"),
		synced:      of("app_synced_timestamp_seconds", "When a pass last ended with what is wanted running, and healthy."),
		good:        of("app_good_revision_timestamp_seconds", "When the good revision was committed."),
		wanted:      of("app_wanted_revision_timestamp_seconds", "When the revision was committed that is asked for."),
		passes:      of("passes_total", "Passes that ended, by outcome.", "outcome"),
		rollbacks:   of("rollbacks_total", "Passes that put the good revision back."),
		drift:       of("drift_objects", "Objects that differ from the good revision, as they were found last.", "class"),
		quarantined: of("app_quarantined", "Sets of the app that failed and stay out."),
		held:        of("app_held", "Whether what is asked for is held back: it failed before, or a person rolled back."),
		halted:      of("app_halted", "Whether the app stands still until a person acts."),
		paused:      of("app_paused", "Whether a person asked for the app to be left alone."),
	}
}

// Describe implements prometheus.Collector.
func (c *apps) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.outcome, c.synced, c.good, c.wanted, c.passes, c.rollbacks, c.drift, c.quarantined, c.held, c.halted, c.paused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *apps) Collect(ch chan<- prometheus.Metric) {
	all := c.from.Apps()
	here := map[string]bool{}
	for _, a := range all {
		here[a.Name] = true
	}
	c.most.keep(here)
	var rest *rest
	for _, a := range all {
		if c.most.of(a.Name) == a.Name {
			c.tell(ch, a)
			continue
		}
		rest = rest.and(a)
	}
	if rest != nil {
		c.tellRest(ch, *rest)
	}
}

func (c *apps) tell(ch chan<- prometheus.Metric, a App) {
	ch <- gauge(c.info, 1, a.Name, short(a.Good), short(a.Wanted))
	if a.Outcome != "" {
		ch <- gauge(c.outcome, 1, a.Name, a.Outcome)
	}
	for desc, is := range map[*prometheus.Desc]bool{c.held: a.Held, c.halted: a.Halted, c.paused: a.Paused} {
		ch <- gauge(desc, number(is), a.Name)
	}
	c.tellNumbers(ch, a)
}

// tellNumbers tells what can be added up, and times.
func (c *apps) tellNumbers(ch chan<- prometheus.Metric, a App) {
	for desc, at := range map[*prometheus.Desc]time.Time{c.synced: a.Synced, c.good: a.GoodTime, c.wanted: a.WantedTime} {
		if !at.IsZero() {
			ch <- gauge(desc, float64(at.UnixMilli())/1000, a.Name)
		}
	}
	for outcome, n := range a.Passes {
		ch <- prometheus.MustNewConstMetric(c.passes, prometheus.CounterValue, float64(n), a.Name, outcome)
	}
	ch <- prometheus.MustNewConstMetric(c.rollbacks, prometheus.CounterValue, float64(a.Rollbacks), a.Name)
	for _, class := range slices.Sorted(maps.Keys(a.Drift)) {
		ch <- gauge(c.drift, float64(a.Drift[class]), a.Name, class)
	}
	ch <- gauge(c.quarantined, float64(a.Quarantined), a.Name)
}

// short is a commit as people quote it.
func short(commit string) string { return commit[:min(len(commit), 10)] }

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
