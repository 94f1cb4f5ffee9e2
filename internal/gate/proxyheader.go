package gate

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// What a header of the PROXY protocol, version 2, begins with, and the bytes
// after that (haproxy.org, proxy-protocol.txt, section 2.2).
const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"

	commandLocal = 0x20
	commandProxy = 0x21
	familyNone   = 0x00
	familyTCP4   = 0x11
	familyTCP6   = 0x21
)

// localHeader says that the gate itself connects, for nobody.
func localHeader() []byte { return append([]byte(signature), commandLocal, familyNone, 0, 0) }

// proxyHeader says who connects to where.
func proxyHeader(from, to netip.AddrPort) []byte {
	src, dst := from.Addr().Unmap(), to.Addr().Unmap()
	h := append(make([]byte, 0, 52), signature...)
	if src.Is4() && dst.Is4() {
		h = append(h, commandProxy, familyTCP4, 0, 12)
		h = append(h, src.AsSlice()...)
		h = append(h, dst.AsSlice()...)
	} else {
		a, b := src.As16(), dst.As16()
		h = append(h, commandProxy, familyTCP6, 0, 36)
		h = append(h, a[:]...)
		h = append(h, b[:]...)
	}
	h = binary.BigEndian.AppendUint16(h, from.Port())
	return binary.BigEndian.AppendUint16(h, to.Port())
}

// endpoints returns a client's address and the one that it connected to.
func endpoints(client *net.TCPConn) (from, to netip.AddrPort) {
	return addrPort(client.RemoteAddr()), addrPort(client.LocalAddr())
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}
