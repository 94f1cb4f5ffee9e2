package config

import (
	"cmp"
	"time"
)

// Heartbeat is a URL that is asked again and again while the agent is well: whoever is
// behind it notices its silence.
type Heartbeat struct {
	// URL is asked; URLFile holds it, and URLEnv names a variable of the agent's
	// environment that does, as most are secrets. None is no heartbeat.
	URL     string `yaml:"url,omitempty" json:"url,omitempty" rule:"anyWeb"`
	URLFile string `yaml:"urlFile,omitempty" json:"urlFile,omitempty" rule:"abs"`
	URLEnv  string `yaml:"urlEnv,omitempty" json:"urlEnv,omitempty" rule:"variable"`
	// Interval is the time between two beats, Timeout what one may take.
	Interval Duration `yaml:"interval,omitempty" json:"interval,omitempty" rule:"1s..24h"`
	Timeout  Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" rule:"1s..5m"`
	// Fail asks URL/fail while the agent is not well, instead of nothing.
	Fail bool `yaml:"fail,omitempty" json:"fail,omitempty"`
	// CAFile is a certificate authority besides the system's.
	CAFile string `yaml:"caFile,omitempty" json:"caFile,omitempty" rule:"abs"`
}

// Wanted tells whether there is a heartbeat.
func (h Heartbeat) Wanted() bool { return h.URL+h.URLFile+h.URLEnv != "" }

// Every is Interval with its default.
func (h Heartbeat) Every() time.Duration { return cmp.Or(h.Interval, Duration(time.Minute)).D() }

// Limit is Timeout with its default.
func (h Heartbeat) Limit() time.Duration { return cmp.Or(h.Timeout, Duration(10*time.Second)).D() }

// checkHeartbeat checks that a heartbeat has one URL.
func (d *decoder) checkHeartbeat(h Heartbeat) {
	ways := 0
	for _, way := range []string{h.URL, h.URLFile, h.URLEnv} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways > 1:
		d.add(d.lines["heartbeat"], "keep one of url, urlFile and urlEnv", "heartbeat says in two ways what its URL is")
	case ways == 0 && h != Heartbeat{}:
		d.add(d.lines["heartbeat"], "add urlFile, with the path of a file that holds it", "heartbeat has no URL")
	}
}
