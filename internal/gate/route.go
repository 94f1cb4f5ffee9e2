package gate

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// routes is where Linux shows its IPv4 routes.
const routes = "/proc/net/route"

// edgeAddress returns the address that Docker publishes ports to: that of the
// interface which the default route leaves by. The edge network's name sorts
// first among the gate's networks, so it has that route.
func edgeAddress() (netip.Addr, error) {
	addr, err := addressOfDefault()
	if err != nil {
		err = fault.As(fault.Blocked, fmt.Errorf("find the edge network: %w", err))
		return netip.Addr{}, fault.Hint(err, "the gate needs a network that is not internal and whose name sorts before its others")
	}
	return addr, nil
}

// defaultName is the name of the interface in the edge network.
func defaultName() (string, error) {
	f, err := os.Open(routes)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return defaultInterface(f)
}

func addressOfDefault() (netip.Addr, error) {
	name, err := defaultName()
	if err != nil {
		return netip.Addr{}, err
	}
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %s: %w", name, err)
	}
	addrs, err := iface.Addrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %s: %w", name, err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("interface %s has no IPv4 address", name)
}

// defaultInterface returns the interface of the default route with the lowest
// metric. The columns are Iface, Destination, Gateway, Flags, RefCnt, Use,
// Metric, Mask and more (proc(5)); numbers are hexadecimal, the metric is not.
func defaultInterface(table io.Reader) (string, error) {
	best, lowest := "", 0
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || !isUp(f[3]) {
			continue
		}
		metric, err := strconv.Atoi(f[6])
		if err != nil {
			continue
		}
		if best == "" || metric < lowest {
			best, lowest = f[0], metric
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	if best == "" {
		return "", errors.New("there is no default route")
	}
	return best, nil
}

// isUp reads the flags of a route, four hexadecimal digits: RTF_UP is 1, and
// RTF_REJECT, 0x200, is a route that leads nowhere.
func isUp(flags string) bool {
	raw, err := hex.DecodeString(flags)
	return err == nil && len(raw) == 2 && raw[1]&1 != 0 && raw[0]&2 == 0
}
