package gate

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

const twoNetworks = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth1	000013AC	00000000	0001	0	0	0	0000FFFF	0	0	0
lo	00000000	00000000	0200	0	0	0	00000000	0	0	0
eth9	00000000	010014AC	0003	0	0	100	00000000	0	0	0
eth0	00000000	010012AC	0003	0	0	0	00000000	0	0	0
eth0	000012AC	00000000	0001	0	0	0	0000FFFF	0	0	0
`

func TestTheEdgeNetworkHasTheDefaultRoute(t *testing.T) {
	got, err := defaultInterface(strings.NewReader(twoNetworks))
	if err != nil || got != "eth0" {
		t.Errorf("got %q, %v", got, err)
	}
	none := strings.Join(strings.SplitAfter(twoNetworks, "\n")[:3], "")
	if got, err := defaultInterface(strings.NewReader(none)); err == nil {
		t.Errorf("without a default route: %q", got)
	}
}

// TestOnlyTheEdgeAddressIsBound: were it every address, the loopback one could
// not be had by somebody else.
func TestOnlyTheEdgeAddressIsBound(t *testing.T) {
	if raw, err := os.ReadFile(routes); err != nil || !strings.Contains(string(raw), "\t00000000\t") {
		if testing.Short() {
			t.Skip("needs a default route")
		}
		t.Fatal("needs a default route (or run with -short)")
	}
	here, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	port := netip.MustParseAddrPort(here.Addr().String()).Port()
	edge, err := edgeAddress()
	if err != nil {
		t.Fatal(err)
	}
	table := these(a)
	table.Port = port
	g := startAt(t, "", table)
	if got, want := g.Answer(), netip.AddrPortFrom(edge, port).String(); !got.Listening || got.Address != want || edge.IsLoopback() {
		t.Errorf("it says %+v, want %s", got, want)
	}
}
