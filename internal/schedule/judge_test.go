package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/schedule"
)

// window is kind, start and zone, length.
func window(t testing.TB, kind, start, zone string, length time.Duration) schedule.Window {
	t.Helper()
	return schedule.Window{Allow: kind == "allow", Start: parsed(t, start, zone), Length: length}
}

// turnsOf tells when the levels open and close in n turns after from.
func turnsOf(from time.Time, zone *time.Location, n int, levels ...[]schedule.Window) string {
	var b strings.Builder
	for at := from; n > 0; n-- {
		s := schedule.Judge(at, levels...)
		if s.Until.IsZero() {
			break
		}
		turn := map[bool]string{true: "closes", false: "opens"}[s.Open]
		fmt.Fprintf(&b, "%s %s\n", s.Until.In(zone).Format("Mon 2006-01-02 15:04 -0700"), turn)
		at = s.Until
	}
	return b.String()
}

// A window over midnight around both changes of a year: it begins when clocks show
// its start, and lasts as long as a stopwatch counts.
func TestWindowsTurnRightAroundChangesOfClocks(t *testing.T) {
	berlin, err := schedule.Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from string
		window     schedule.Window
		want       string
	}{
		{"over midnight in spring", "2026-03-28 12:00 +0100", window(t, "allow", "0 22 * * *", "Europe/Berlin", 6*time.Hour), `
Sat 2026-03-28 22:00 +0100 opens
Sun 2026-03-29 05:00 +0200 closes
Sun 2026-03-29 22:00 +0200 opens
Mon 2026-03-30 04:00 +0200 closes
`},
		{"over midnight in autumn", "2026-10-24 12:00 +0200", window(t, "allow", "0 22 * * *", "Europe/Berlin", 6*time.Hour), `
Sat 2026-10-24 22:00 +0200 opens
Sun 2026-10-25 03:00 +0100 closes
Sun 2026-10-25 22:00 +0100 opens
Mon 2026-10-26 04:00 +0100 closes
`},
		{"a start that is left out", "2026-03-28 12:00 +0100", window(t, "allow", "30 2 * * *", "Europe/Berlin", time.Hour), `
Sun 2026-03-29 03:00 +0200 opens
Sun 2026-03-29 04:00 +0200 closes
Mon 2026-03-30 02:30 +0200 opens
Mon 2026-03-30 03:30 +0200 closes
`},
		{"a start that comes twice", "2026-10-24 12:00 +0200", window(t, "deny", "30 2 * * *", "Europe/Berlin", 2*time.Hour), `
Sun 2026-10-25 02:30 +0200 closes
Sun 2026-10-25 03:30 +0100 opens
Mon 2026-10-26 02:30 +0100 closes
Mon 2026-10-26 04:30 +0100 opens
`},
		{"office hours deny, whatever the offset", "2026-10-23 12:00 +0200", window(t, "deny", "0 8 * * 1-5", "Europe/Berlin", 10*time.Hour), `
Fri 2026-10-23 18:00 +0200 opens
Mon 2026-10-26 08:00 +0100 closes
Mon 2026-10-26 18:00 +0100 opens
Tue 2026-10-27 08:00 +0100 closes
`},
		{"whole days that touch are one", "2026-11-20 12:00 +0100", window(t, "deny", "0 0 * * 1-5", "Europe/Berlin", 24*time.Hour), `
Sat 2026-11-21 00:00 +0100 opens
Mon 2026-11-23 00:00 +0100 closes
Sat 2026-11-28 00:00 +0100 opens
Mon 2026-11-30 00:00 +0100 closes
`},
		{"a freeze over the holidays", "2026-11-21 12:00 +0100", window(t, "deny", "0 0 15 12 *", "Europe/Berlin", 23*24*time.Hour), `
Tue 2026-12-15 00:00 +0100 closes
Thu 2027-01-07 00:00 +0100 opens
Wed 2027-12-15 00:00 +0100 closes
Fri 2028-01-07 00:00 +0100 opens
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := turnsOf(moment(t, c.from), berlin, 4, []schedule.Window{c.window})
			if got != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("%s turns\n%swant%s", c.window, got, c.want)
			}
		})
	}
}

// The turns of a whole year: an allow window each night has 365 starts, of which
// none is lost and none doubled.
func TestANightlyWindowOpensEachNightOfAYear(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Auckland"} {
		for _, start := range []string{"0 0 * * *", "30 1 * * *", "30 2 * * *", "0 23 * * *"} {
			place, err := schedule.Zone(zone)
			if err != nil {
				t.Fatal(err)
			}
			from := time.Date(2026, 1, 1, 12, 0, 0, 0, place)
			turns := turnsOf(from, place, 2*365, []schedule.Window{window(t, "allow", start, zone, 3*time.Hour)})
			days := map[string]int{}
			for line := range strings.Lines(turns) {
				if strings.HasSuffix(line, "opens\n") {
					days[strings.Fields(line)[1]]++
				}
			}
			for day, n := range days {
				if n != 1 {
					t.Errorf("%s in %s opens %d times on %s", start, zone, n, day)
				}
			}
			if len(days) != 365 {
				t.Errorf("%s in %s opens on %d days of a year", start, zone, len(days))
			}
		}
	}
}

func TestJudgement(t *testing.T) {
	night := window(t, "allow", "0 22 * * *", "", 6*time.Hour)
	weekend := window(t, "deny", "0 0 * * 6", "", 48*time.Hour)
	healing := weekend
	healing.Heal = true
	nightHealing := night
	nightHealing.Heal = true
	day := window(t, "allow", "0 8 * * *", "", 10*time.Hour)
	always := window(t, "allow", "* * * * *", "", time.Hour)
	const friday, saturday = "2026-11-20", "2026-11-21"
	for _, c := range []struct {
		name, at string
		levels   [][]schedule.Window
		want     string
	}{
		{"no windows", friday + " 12:00", nil, "open"},
		{"empty levels", friday + " 12:00", [][]schedule.Window{nil, {}}, "open"},
		{"inside an allow window", friday + " 22:00", [][]schedule.Window{{night}}, `open until Sat 04:00: allow "0 22 * * *" UTC for 6h`},
		{"at its end it is over", friday + " 04:00", [][]schedule.Window{{night}}, `closed until Fri 22:00: outside of allow "0 22 * * *" UTC for 6h`},
		{"outside of all", friday + " 20:00", [][]schedule.Window{{night, day}}, `closed until Fri 22:00: outside of allow "0 22 * * *" UTC for 6h and 1 more`},
		{"a deny window", saturday + " 12:00", [][]schedule.Window{{weekend}}, `closed until Mon 00:00: deny "0 0 * * 6" UTC for 48h`},
		{"no deny window", friday + " 12:00", [][]schedule.Window{{weekend}}, "open until Sat 00:00"},
		{"deny beats allow", saturday + " 23:00", [][]schedule.Window{{night, weekend}}, `closed until Mon 00:00: deny "0 0 * * 6" UTC for 48h`},
		{"deny cuts allow short", friday + " 23:00", [][]schedule.Window{{night, weekend}}, `open until Sat 00:00: allow "0 22 * * *" UTC for 6h`},
		{"both levels have to be open", friday + " 12:00", [][]schedule.Window{{night}, {day}}, `closed: outside of allow "0 22 * * *" UTC for 6h`},
		{"one level denies, the other allows", saturday + " 09:00", [][]schedule.Window{{weekend}, {day}}, `closed until Mon 08:00: deny "0 0 * * 6" UTC for 48h`},
		{"drift is repaired where the window says so", saturday + " 09:00", [][]schedule.Window{{healing}}, `closed until Mon 00:00: deny "0 0 * * 6" UTC for 48h, heals`},
		{"and not where another does not", saturday + " 09:00", [][]schedule.Window{{healing}, {night}}, `closed until Mon 00:00: deny "0 0 * * 6" UTC for 48h`},
		{"outside of an allow window that says so", friday + " 12:00", [][]schedule.Window{{nightHealing}}, `closed until Fri 22:00: outside of allow "0 22 * * *" UTC for 6h, heals`},
		{"one that never ends", friday + " 12:00", [][]schedule.Window{{always}}, `open: allow "* * * * *" UTC for 1h`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := schedule.Judge(moment(t, c.at+" +0000"), c.levels...)
			got := map[bool]string{true: "open", false: "closed"}[s.Open]
			if !s.Until.IsZero() {
				got += s.Until.Format(" until Mon 15:04")
			}
			if s.Which != "" {
				got += ": " + s.Which
			}
			if s.Heal && !s.Open {
				got += ", heals"
			}
			if s.Open && !s.Heal {
				got += ", does not heal"
			}
			if got != c.want {
				t.Errorf("it is %s\nwant  %s", got, c.want)
			}
		})
	}
}

// A host asks at each pass: even windows that make much work are judged soon.
func BenchmarkJudge(b *testing.B) {
	now := moment(b, "2026-11-20 12:00 +0000")
	for name, levels := range map[string][][]schedule.Window{
		"usual": {{window(b, "allow", "0 22 * * *", "Europe/Berlin", 6*time.Hour), window(b, "deny", "0 0 15 12 *", "Europe/Berlin", 500*time.Hour)}},
		"worst": {{window(b, "allow", "* * * * *", "Europe/Berlin", 744*time.Hour)}, {window(b, "deny", "0 0 29 2 1", "Europe/Berlin", time.Hour)}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				schedule.Judge(now, levels...)
			}
		})
	}
}
