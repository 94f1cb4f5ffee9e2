package schedule_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/schedule"
)

func parsed(t testing.TB, text, zone string) schedule.Cron {
	t.Helper()
	c, err := schedule.Parse(text, zone)
	if err != nil {
		t.Fatalf("%q in %q: %v", text, zone, err)
	}
	return c
}

// moment reads a time with its offset.
func moment(t testing.TB, text string) time.Time {
	t.Helper()
	m, err := time.Parse("2006-01-02 15:04 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const shown = "2006-01-02 15:04 -0700"

// Each line is an expression and the times after from, as a clock on the wall there
// shows them.
func TestTimesComeAsClocksOnTheWallShowThem(t *testing.T) {
	for _, c := range []struct{ name, text, zone, from, want string }{
		{"every five minutes", "*/5 * * * *", "", "2026-11-21 20:38 +0000", "2026-11-21 20:40 +0000, 2026-11-21 20:45 +0000"},
		{"never at the very time", "0 9 * * *", "", "2026-11-21 09:00 +0000", "2026-11-22 09:00 +0000"},
		{"a zone before it", "CRON_TZ=Europe/Berlin 0 9 * * 1-5", "", "2026-11-20 12:00 +0000", "2026-11-23 09:00 +0100, 2026-11-24 09:00 +0100"},
		{"a zone beside it", "0 9 * * 1-5", "America/New_York", "2026-11-20 15:00 +0000", "2026-11-23 09:00 -0500"},
		{"Sunday is 0 and 7", "0 9 * * 7,2", "", "2026-11-21 00:00 +0000", "2026-11-22 09:00 +0000, 2026-11-24 09:00 +0000, 2026-11-29 09:00 +0000"},
		{"and ends a range", "0 9 * * 6-7", "", "2026-11-20 00:00 +0000", "2026-11-21 09:00 +0000, 2026-11-22 09:00 +0000, 2026-11-28 09:00 +0000"},
		{"a word", "@monthly", "Asia/Tokyo", "2026-11-21 00:00 +0000", "2026-12-01 00:00 +0900"},
		{"a leap day", "0 0 29 2 *", "", "2026-01-01 00:00 +0000", "2028-02-29 00:00 +0000"},

		// Berlin, 2026-03-29: 01:59:59 is followed by 03:00:00.
		{"left out: it comes at the change", "30 2 * * *", "Europe/Berlin", "2026-03-28 12:00 +0100", "2026-03-29 03:00 +0200, 2026-03-30 02:30 +0200"},
		{"left out, several: once", "0,15,30 2 * * *", "Europe/Berlin", "2026-03-28 12:00 +0100", "2026-03-29 03:00 +0200, 2026-03-30 02:00 +0200"},
		{"left out of every hour: none is made up for", "30 * * * *", "Europe/Berlin", "2026-03-29 01:00 +0100", "2026-03-29 01:30 +0100, 2026-03-29 03:30 +0200"},
		{"every half hour over the change", "*/30 * * * *", "Europe/Berlin", "2026-03-29 01:20 +0100", "2026-03-29 01:30 +0100, 2026-03-29 03:00 +0200, 2026-03-29 03:30 +0200"},
		{"asked within the change", "30 2 * * *", "Europe/Berlin", "2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"},

		// Berlin, 2026-10-25: 02:59:59 is followed by 02:00:00.
		{"twice: it comes the first time", "30 2 * * *", "Europe/Berlin", "2026-10-24 12:00 +0200", "2026-10-25 02:30 +0200, 2026-10-26 02:30 +0100"},
		{"asked between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25 02:10 +0100", "2026-10-26 02:30 +0100"},
		{"twice in every hour: both", "30 * * * *", "Europe/Berlin", "2026-10-25 02:00 +0200", "2026-10-25 02:30 +0200, 2026-10-25 02:30 +0100, 2026-10-25 03:30 +0100"},
		{"no gap where an hour comes twice", "*/20 * * * *", "Europe/Berlin", "2026-10-25 02:45 +0200", "2026-10-25 02:00 +0100, 2026-10-25 02:20 +0100, 2026-10-25 02:40 +0100, 2026-10-25 03:00 +0100"},

		// A shift at midnight (Santiago, 2026-09-06), and one of half an hour (Lord Howe).
		{"midnight is left out", "0 0 * * *", "America/Santiago", "2026-09-05 12:00 -0400", "2026-09-06 01:00 -0300, 2026-09-07 00:00 -0300"},
		{"half an hour is left out", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00 +1030", "2026-10-04 02:30 +1100, 2026-10-05 02:15 +1100"},
		{"half an hour comes twice", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04 12:00 +1100", "2026-04-05 01:45 +1100, 2026-04-06 01:45 +1030"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cron, at := parsed(t, c.text, c.zone), moment(t, c.from)
			var got []string
			for range strings.Split(c.want, ", ") {
				at = cron.Next(at)
				got = append(got, at.Format(shown))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("%s after %s:\n%s, want\n%s", cron, c.from, text, c.want)
			}
		})
	}
}

func TestWhatIsNoExpressionIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "empty spec",
		"* * * *":                        "expected exactly 5 fields",
		"0 0 9 * * 1":                    "expected exactly 5 fields",
		"61 * * * *":                     "above maximum (59)",
		"0 25 * * *":                     "above maximum (23)",
		"0 0 30 2 *":                     "never comes",
		"*/0 * * * *":                    "step of range should be a positive number",
		"@every 5m":                      "@every has no times of its own",
		"@reboot":                        "unrecognized descriptor",
		"TZ=":                            "empty spec",
		"CRON_TZ=Mars/Olympus * * * * *": `no time zone "Mars/Olympus"`,
		"CRON_TZ=../../etc * * * * *":    "no time zone",
		"TZ=UTC TZ=0":                    "two time zones",
	} {
		if _, err := schedule.Parse(text, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := schedule.Parse("CRON_TZ=Asia/Tokyo 0 9 * * *", "Europe/Berlin"); err == nil {
		t.Error("it takes two zones")
	}
}

func TestTheZeroExpressionHasNoTimes(t *testing.T) {
	if next := (schedule.Cron{}).Next(time.Now()); !next.IsZero() {
		t.Errorf("it comes at %s", next)
	}
}

// Whatever is read as an expression goes on for ever, and only forward.
func FuzzExpressions(f *testing.F) {
	for _, text := range []string{"*/5 * * * *", "CRON_TZ=Europe/Berlin 30 2 * * *", "TZ=Australia/Lord_Howe 0,15 1-3 * * sun", "@daily", "0 0 29 2 *", "TZ=", "TZ=0", "CRON_TZ= @every 1s"} {
		f.Add(text, int64(1774742400))
	}
	f.Fuzz(func(t *testing.T, text string, from int64) {
		if len(text) > 200 {
			return
		}
		cron, err := schedule.Parse(text, "")
		if err != nil {
			return
		}
		at := time.Unix(from%(1<<33), 0) // until the year 2242
		for range 5 {
			next := cron.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%s: %s is followed by %s", cron, at, next)
			}
			at = next
		}
	})
}
