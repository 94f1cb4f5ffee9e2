package schedule

import "time"

// wall is what clocks show at t, as a time in UTC.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// shiftsNear tells whether t's zone puts its clocks forward or back about then.
func shiftsNear(t time.Time) bool {
	began, ends := t.ZoneBounds()
	return !began.IsZero() && t.Sub(began) < shiftReach || !ends.IsZero() && ends.Sub(t) < shiftReach
}

// momentsOf are the moments, in order, at which clocks in a zone show this: one, two
// where they are put back over it, none where they are put forward over it. Then
// shift is the moment at which that is done.
func momentsOf(shown time.Time, zone *time.Location) (all []time.Time, shift time.Time) {
	near := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), 0, zone)
	began, ends := near.ZoneBounds()
	if at := wall(near); at.After(shown) {
		return nil, began
	} else if at.Before(shown) {
		return nil, ends
	}
	all = []time.Time{near}
	if !began.IsZero() {
		if before := as(shown, began.Add(-time.Nanosecond)); before.Before(began) {
			all = []time.Time{before, near}
		}
	}
	if !ends.IsZero() {
		if after := as(shown, ends); !after.Before(ends) {
			all = append(all, after)
		}
	}
	return all, time.Time{}
}

// as is the moment at which clocks show this if they go as they do at like.
func as(shown, like time.Time) time.Time {
	_, offset := like.Zone()
	return shown.Add(-time.Duration(offset) * time.Second).In(like.Location())
}
