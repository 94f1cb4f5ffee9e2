// Package schedule says when things happen: at the times of a cron expression, or
// between them. It is pure: who asks says what time it is.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // minimal images, and some hosts, have no time zones of their own

	"github.com/robfig/cron/v3"
)

// Cron is a cron expression in a time zone. The zero value has no times.
type Cron struct {
	text string
	spec *cron.SpecSchedule
	zone *time.Location
	// hourly tells of an expression that means every hour of the day.
	hourly bool
}

// everyHour are the bits of all 24 hours of a cron expression.
const everyHour = 1<<24 - 1

// Parse reads an expression of five fields (minute, hour, day of month, month, day
// of week), or @hourly, @daily, @weekly, @monthly, @yearly. CRON_TZ=ZONE before it
// names its time zone, or zone does; with neither it is UTC. The error says what
// is wrong, and nothing of where.
func Parse(text, zone string) (Cron, error) {
	named, rest := zoneIn(text)
	switch {
	case named != "" && zone != "":
		return Cron{}, errors.New("it names a time zone of its own")
	case named != "":
		zone = named
	}
	place, err := Zone(zone)
	if err != nil {
		return Cron{}, err
	}
	spec, err := specOf(rest)
	if err != nil {
		return Cron{}, err
	}
	return Cron{text: strings.Join(strings.Fields(rest), " "), spec: spec, zone: place, hourly: spec.Hour&everyHour == everyHour}, nil
}

// zoneIn separates a time zone from the expression that it stands before.
func zoneIn(text string) (zone, rest string) {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if after, ok := strings.CutPrefix(text, prefix); ok {
			zone, rest, _ = strings.Cut(after, " ")
			return zone, rest
		}
	}
	return "", text
}

// Zone finds a time zone by its name in the IANA database. Empty is UTC, and
// Local the host's own.
func Zone(name string) (*time.Location, error) {
	place, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return place, nil
}

func specOf(text string) (*cron.SpecSchedule, error) {
	if strings.Contains(text, "TZ=") { // the library would look for another zone
		return nil, errors.New("it names two time zones")
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(sundays(text))
	if err != nil {
		return nil, err
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("@every has no times of its own")
	}
	spec.Location = time.UTC // it is asked about what clocks on the wall show
	if spec.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("that day never comes")
	}
	return spec, nil
}

// sundays writes 0 for what an expression says of day 7, which cron takes for Sunday,
// too, and the library does not.
func sundays(text string) string {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return text
	}
	days := strings.Split(fields[4], ",")
	for i, day := range days {
		if from, ok := strings.CutSuffix(day, "-7"); ok {
			days[i] = from + "-6,0"
		} else if day == "7" {
			days[i] = "0"
		}
	}
	fields[4] = strings.Join(days, ",")
	return strings.Join(fields, " ")
}

// String is the expression, with its zone.
func (c Cron) String() string {
	if c.zone == nil {
		return "never"
	}
	return fmt.Sprintf("%q %s", c.text, c.zone)
}

// shiftReach is how far from a change of the clocks times are looked at twice. No
// zone shifts by more than two hours.
const shiftReach = 3 * time.Hour

// Next is the first time after t; zero where there is none within five years.
//
// Where clocks are put forward, a time that is left out comes at the moment of the
// change; where they are put back, one that comes twice comes the first time. An
// expression that means every hour goes by the hours that there are: none is
// made up for, and none left out.
func (c Cron) Next(t time.Time) time.Time {
	if c.spec == nil {
		return time.Time{}
	}
	t = t.In(c.zone)
	from := wall(t)
	if shiftsNear(t) {
		from = from.Add(-shiftReach)
	}
	var next time.Time
	for shown := c.spec.Next(from); !shown.IsZero(); shown = c.spec.Next(shown) {
		comes := c.moments(shown)
		for _, m := range comes {
			if m.After(t) && (next.IsZero() || m.Before(next)) {
				next = m
			}
		}
		if len(comes) > 0 && comes[0].After(t) { // what is shown later comes later
			break
		}
	}
	return next
}

// moments are when it is due at what clocks show: at most two, in order.
func (c Cron) moments(shown time.Time) []time.Time {
	all, shift := momentsOf(shown, c.zone)
	switch {
	case len(all) == 0 && !c.hourly:
		return []time.Time{shift}
	case len(all) > 1 && !c.hourly:
		return all[:1]
	}
	return all
}
