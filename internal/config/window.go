package config

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/schedule"
)

// cronPattern is what can be said of an expression without reading it.
const cronPattern = `^((CRON_)?TZ=\S+ +)?(@[a-z]+|\S+( +\S+){4})$`

func checkCron(text string) error {
	_, err := schedule.Parse(text, "")
	return err
}

func checkZone(name string) error {
	_, err := schedule.Zone(name)
	return err
}

// HostSync says when apps of this host may be changed.
type HostSync struct {
	Windows []HostWindow `yaml:"windows,omitempty" json:"windows,omitempty"`
}

// Window is a time that comes again and again, at which an app may be changed, or
// may not.
type Window struct {
	Kind string `yaml:"kind" json:"kind" rule:"allow|deny"`
	// Schedule is the cron expression of its starts.
	Schedule string   `yaml:"schedule" json:"schedule" rule:"cron"`
	Duration Duration `yaml:"duration" json:"duration" rule:"1m..744h"`
	// TimeZone is Schedule's. Default UTC.
	TimeZone string `yaml:"timeZone,omitempty" json:"timeZone,omitempty" rule:"zone"`
	// Heal lets drift be repaired although the window holds changes back.
	Heal bool `yaml:"heal,omitempty" json:"heal,omitempty"`
}

// HostWindow is a window of several apps.
type HostWindow struct {
	Kind     string   `yaml:"kind" json:"kind" rule:"allow|deny"`
	Schedule string   `yaml:"schedule" json:"schedule" rule:"cron"`
	Duration Duration `yaml:"duration" json:"duration" rule:"1m..744h"`
	TimeZone string   `yaml:"timeZone,omitempty" json:"timeZone,omitempty" rule:"zone"`
	Heal     bool     `yaml:"heal,omitempty" json:"heal,omitempty"`
	// Apps are those that it is for; none is all.
	Apps []string `yaml:"apps,omitempty" json:"apps,omitempty" rule:"app"`
}

// Window is the window without its apps.
func (w HostWindow) Window() Window {
	return Window{Kind: w.Kind, Schedule: w.Schedule, Duration: w.Duration, TimeZone: w.TimeZone, Heal: w.Heal}
}

// WindowsFor are the host's windows for an app.
func (s HostSync) WindowsFor(app string) []Window {
	var out []Window
	for _, w := range s.Windows {
		if len(w.Apps) == 0 || slices.Contains(w.Apps, app) {
			out = append(out, w.Window())
		}
	}
	return out
}

// Times is the window as it is judged.
func (w Window) Times() (schedule.Window, error) {
	start, err := schedule.Parse(w.Schedule, w.TimeZone)
	if err != nil {
		return schedule.Window{}, fmt.Errorf("read the window %q: %w", w.Schedule, err)
	}
	return schedule.Window{Allow: w.Kind == "allow", Start: start, Length: w.Duration.D(), Heal: w.Heal}, nil
}

// checkWindow checks an entry as a whole.
func (d *decoder) checkWindow(w Window, at string) {
	if d.faulty() { // what is wrong with a key has been said
		return
	}
	for _, key := range []struct {
		name, example string
		given         bool
	}{
		{"kind", "allow or deny", w.Kind != ""},
		{"schedule", "such as schedule: 0 22 * * 1-5", w.Schedule != ""},
		{"duration", "such as duration: 6h", w.Duration != 0},
	} {
		if !key.given {
			d.add(d.lines[at], key.example, "%s.%s is missing", at, key.name)
			return
		}
	}
	if _, err := w.Times(); err != nil {
		d.add(d.lines[at], "name it in one of the two", "%s.timeZone is given, and schedule names a time zone of its own", at)
	}
}
