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
	open, waiting *prometheus.Desc
}

// OfWindows collects whether apps may be changed now.
func OfWindows(from Windows) Collector {
	return windows{
		from:    from,
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
	for app, is := range open {
		ch <- prometheus.MustNewConstMetric(w.open, prometheus.GaugeValue, number(is), app)
		ch <- prometheus.MustNewConstMetric(w.waiting, prometheus.GaugeValue, number(waiting[app]), app)
	}
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
