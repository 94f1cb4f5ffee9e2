package reconcile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// A hundred thousand objects that differ in a hundred fields of any length take a
// bounded place in the record and in a line of history.
func TestIncidentOfAHundredThousandObjectsIsBounded(t *testing.T) {
	changes := make([]drift.Change, 100)
	for i := range changes {
		changes[i] = drift.Change{Path: fmt.Sprintf("data.key-%d", i), Want: strings.Repeat("w", 200), Live: strings.Repeat("l", 200)}
	}
	found := make([]drift.Finding, 100_000)
	for i := range found {
		found[i] = drift.Finding{Key: resource.Key{Kind: "ConfigMap", Namespace: "shop", Name: fmt.Sprintf("settings-%d", i)}, Class: drift.Modified, Changes: changes}
	}
	open := &state.Incident{Number: 1}
	now := time.Now()
	lines, unnamed := merge(open, found, now)
	if open.Objects() != len(found) || open.Classes["modified"] != len(found) || len(open.Findings) != mostFindings {
		t.Errorf("%d objects, %v, %d of them named", open.Objects(), open.Classes, len(open.Findings))
	}
	if texts, more := boundLines(findingLines(open.Findings), open.More); len(texts) != mostLines || more != 99_998 {
		t.Errorf("%d lines, and %d objects more", len(texts), more)
	}
	if texts, more := boundLines(lines, unnamed); len(texts) != mostLines || more != 99_998 {
		t.Errorf("%d lines of what has joined, and %d objects more", len(texts), more)
	}
	if raw, err := json.Marshal(open); err != nil || len(raw) > 400<<10+25*len(found) {
		t.Errorf("it takes %d bytes, %v", len(raw), err)
	}
	if len(lines) > mostFindings*mostFields {
		t.Errorf("%d lines are new", len(lines))
	}
	if again, more := merge(open, found, now.Add(time.Minute)); len(again)+more != 0 {
		t.Errorf("seen again, %d lines are new", len(again))
	}
	if fewer, _ := merge(open, found[99_990:], now.Add(time.Minute)); open.Objects() != 10 || len(fewer) != 0 {
		t.Errorf("of ten that are left, %d are known, and %d lines are new", open.Objects(), len(fewer))
	}
}
