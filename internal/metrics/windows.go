package metrics

import "github.com/prometheus/client_golang/prometheus"

// Windows says what the windows of apps are like now, without asking anybody.
type Windows interface {
	// AppWindows tells of each app that has windows whether it may be changed now, and
	// whether something waits for that.
	AppWindows() (open, waiting map[string]bool)
}

type windows struct {
	from          Windows
	most          *names
	open, waiting *prometheus.Desc
}

// OfWindows collects whether apps may be changed now. Beyond the first thousand that have
// windows it says of how many that is true.
func OfWindows(from Windows) Collector {
	return windows{
		from:    from,
		most:    newNames(mostNames),
		open:    prometheus.NewDesc("syncd_app_window_open", "Whether the windows of the app let it be changed now; apps without windows are left out.", []string{"app"}, nil),
		waiting: prometheus.NewDesc("syncd_app_window_waiting", "Whether something waits until the windows of the app let it be changed.", []string{"app"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (w windows) Describe(ch chan<- *prometheus.Desc) {
	ch <- w.open
	ch <- w.waiting
}

// Collect implements prometheus.Collector.
func (w windows) Collect(ch chan<- prometheus.Metric) {
	open, waiting := w.from.AppWindows()
	here, may, waits := map[string]bool{}, map[string]float64{}, map[string]float64{}
	for app := range open {
		here[app] = true
	}
	w.most.keep(here)
	for app, is := range open {
		label := w.most.of(app)
		may[label] += number(is)
		waits[label] += number(waiting[app])
	}
	for label := range may {
		ch <- gauge(w.open, may[label], label)
		ch <- gauge(w.waiting, waits[label], label)
	}
}
