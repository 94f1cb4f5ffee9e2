package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

const good = `{"format":1,"mode":"tcp","port":8080,"backends":[{"id":"0123456789ab","port":80,"share":10},{"id":"10.0.0.1","port":80,"draining":true}],"hold":{"limit":5},"drain":"3s","proxyProtocol":true}`

func TestATableIsReadWithItsDefaults(t *testing.T) {
	got, err := Decode([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if got.Drain != resource.Duration(3*time.Second) || got.Hold.Limit != 5 || got.Hold.For != resource.Duration(DefaultHoldFor) {
		t.Errorf("got %+v, hold %+v", got, got.Hold)
	}
	got, err = Decode([]byte(`{"format":1,"mode":"http","port":80,"hold":{},"sticky":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Drain != resource.Duration(DefaultDrain) || *got.Hold != (Hold{DefaultHoldLimit, resource.Duration(DefaultHoldFor)}) {
		t.Errorf("got %+v, hold %+v", got, got.Hold)
	}
}

func TestATableIsReadStrictly(t *testing.T) {
	backends := make([]string, maxBackends+1)
	for i := range backends {
		backends[i] = fmt.Sprintf(`{"id":"%012x","port":80}`, i)
	}
	for raw, want := range map[string]string{
		``:                                     "read it",
		`[]`:                                   "read it",
		`{}`:                                   "format 0 is not known",
		`{"format":2,"new":true}`:              "format 2 is not known",
		change(`"tcp"`, `"udp"`):               `mode "udp"`,
		change(`8080`, `0`):                    "port is missing",
		change(`8080`, `65536`):                "port",
		change(`"port":80,"share"`, `"share"`): `backend "0123456789ab": port is missing`,
		change(`"drain":"3s"`, `"drain":true`): "read it",
		change(`"3s"`, `"3"`):                  "missing unit",
		change(`"3s"`, `"-3s"`):                "drain -3s",
		change(`"3s"`, `"25h"`):                "drain 25h",
		change(`"limit":5`, `"limit":-1`):      "hold.limit -1",
		change(`"limit":5`, `"limit":65537`):   "hold.limit 65537",
		change(`"limit":5`, `"for":"61m"`):     "hold.for 1h1m",
		change(`"limit":5`, `"limits":5`):      "limits",
		change(`10.0.0.1`, `0123456789ab`):     "twice",
		change(`0123456789ab`, `web`):          "neither",
		change(`0123456789ab`, `0123456789AB`): "neither",
		change(`0123456789ab`, `0.0.0.0`):      "neither",
		change(`0123456789ab`, `fe80::1%eth0`): "neither",
		change(`"share":10`, `"share":101`):    "percentage",
		change(`"share":10`, `"share":-1`):     "percentage",
		good + good:                            "after top-level value",
		change(`"proxyProtocol"`, `"sticky"`):  "sticky",
		change(`"tcp"`, `"http"`):              "proxyProtocol",
		`{"format":1,"mode":"tcp","port":80,"backends":[{"id":"10.0.0.1","port":1,"share":60},{"id":"10.0.0.2","port":1,"share":60}]}`: "120 percent",
		`{"format":1,"mode":"tcp","port":80,"backends":[` + strings.Join(backends, ",") + `]}`:                                         "1025 backends",
		good + strings.Repeat(" ", MaxTable): "longer",
	} {
		_, err := Decode([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s\n\tgot %v\n\twant %s", raw, err, want)
			continue
		}
		if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
			t.Errorf("%v: class %v, hint %q", err, fault.Of(err), fault.Advice(err))
		}
	}
}

func change(from, to string) string {
	if !strings.Contains(good, from) {
		panic(from)
	}
	return strings.Replace(good, from, to, 1)
}

func TestAnUnknownFormatTellsToUpgrade(t *testing.T) {
	_, err := Decode([]byte(`{"format":2}`))
	if !strings.Contains(fault.Advice(err), "upgrade") {
		t.Errorf("the hint is %q", fault.Advice(err))
	}
}

func TestADigestNamesTheMeaning(t *testing.T) {
	one, err := Decode([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	two := one
	two.Backends = slices.Clone(one.Backends)
	slices.Reverse(two.Backends)
	two.Hold = &Hold{Limit: 5}
	if one.Digest() != two.Digest() {
		t.Error("order or a default makes another table")
	}
	two.Backends[0].Draining = !two.Backends[0].Draining
	if one.Digest() == two.Digest() {
		t.Error("another table has the same digest")
	}
	if raw, err := one.Encode(); err != nil {
		t.Error(err)
	} else if again, err := Decode(raw); err != nil || again.Digest() != one.Digest() {
		t.Errorf("written and read again: %v", err)
	}
}

func TestTheTableOnDiskIsReplacedWhole(t *testing.T) {
	s := store{filepath.Join(t.TempDir(), TableFile)}
	if _, found, err := s.load(); found || err != nil {
		t.Fatalf("found one: %t, %v", found, err)
	}
	for _, want := range []Table{these(a), these(b)} {
		if err := s.save(want); err != nil {
			t.Fatal(err)
		}
		got, found, err := s.load()
		if !found || err != nil || got.Digest() != want.Digest() {
			t.Errorf("got %+v, %t, %v", got, found, err)
		}
	}
	// The next one's writing breaks off half way.
	if err := os.WriteFile(s.path+".new", []byte(`{"format":1,"mo`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _, err := s.load(); err != nil || got.Digest() != these(b).Digest() {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := s.save(these(c)); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"format":1,"mode":"http","port":80,"hold":{},"sticky":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		table, err := Decode(raw)
		if err != nil {
			if fault.Of(err) != fault.Rejected {
				t.Fatalf("%v is of class %v", err, fault.Of(err))
			}
			return
		}
		raw, err = table.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(raw)
		if err != nil || again.Digest() != table.Digest() {
			t.Fatalf("%s does not come back: %v", raw, err)
		}
	})
}
