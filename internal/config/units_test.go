package config

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestDurationPrintsWhatItReads(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "5m": 5 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute,
		"1m30s": 90 * time.Second, "1h0m5s": time.Hour + 5*time.Second, "0s": 0, "250ms": 250 * time.Millisecond, "10m": 10 * time.Minute, "20h": 20 * time.Hour,
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || d.D() != want || d.String() != text {
			t.Errorf("%q: %v (%s), %v; want %v", text, d.D(), d, err, want)
		}
	}
	for _, text := range []string{"", "5", "-1s", "1y", "1d", "s", "5 m", "NaNs", "99999999999h"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, d.D())
		}
	}
}

func TestBytesPrintsWhatItReads(t *testing.T) {
	for text, want := range map[string]struct {
		size  int64
		print string
	}{
		"5MiB": {5 << 20, "5MiB"}, "2GiB": {2 << 30, "2GiB"}, "1024": {1024, "1KiB"}, "1000": {1000, "1000"}, "0": {0, "0"},
		"1kB": {1000, "1000"}, "3 MB": {3e6, "3000000"}, "7B": {7, "7"}, "1TiB": {1 << 40, "1TiB"}, "2TB": {2e12, "1953125000KiB"},
	} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || int64(b) != want.size || b.String() != want.print {
			t.Errorf("%q: %d (%s), %v; want %d", text, int64(b), b, err, want.size)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "5mib", "5M", "+1", "9223372036854775808", "9223372036854775807KiB", "1 2MiB", "5  MiB"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, int64(b))
		}
	}
}

func TestUnitsSurviveJSON(t *testing.T) {
	type both struct {
		D Duration
		B Bytes
	}
	data, err := json.Marshal(both{Duration(5 * time.Minute), 5 << 20})
	if err != nil || string(data) != `{"D":"5m","B":"5MiB"}` {
		t.Fatalf("%s, %v", data, err)
	}
	var back both
	if err := json.Unmarshal(data, &back); err != nil || back != (both{Duration(5 * time.Minute), 5 << 20}) {
		t.Errorf("%+v, %v", back, err)
	}
}

// Every rule in a struct tag is a known shape, a choice, or a range whose ends
// can be read; a misspelt one would check nothing.
func TestEveryRuleIsKnown(t *testing.T) {
	var check func(reflect.Type)
	check = func(root reflect.Type) {
		for _, f := range fieldsOf(root) {
			if f.name == "" {
				t.Errorf("%s: a field has no key", root)
			}
			for _, rule := range []string{f.rule, f.keys} {
				if !sound(rule, f.kind) {
					t.Errorf("%s.%s: rule %q is not known", root, f.name, rule)
				}
			}
			switch f.kind.Kind() {
			case reflect.Struct:
				check(f.kind)
			case reflect.Map:
				if f.kind.Elem().Kind() == reflect.Struct {
					check(f.kind.Elem())
				}
			}
		}
	}
	check(reflect.TypeFor[Host]())
	check(reflect.TypeFor[App]())
}

func sound(rule string, kind reflect.Type) bool {
	if low, high, ok := bounds(rule); ok {
		return measure(low, kind) >= 0 && measure(low, kind) < measure(high, kind)
	}
	_, ok := shapeOf(rule)
	return ok || rule == "" || choices(rule) != nil
}
