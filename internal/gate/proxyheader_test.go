package gate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
)

// readHeader reads a header of the PROXY protocol, version 2, as its
// specification tells a receiver to.
func readHeader(raw []byte) (from, to netip.AddrPort, err error) {
	if len(raw) < 16 || !bytes.Equal(raw[:12], []byte{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A}) || raw[12]>>4 != 2 {
		return from, to, errors.New("no header")
	}
	if int(binary.BigEndian.Uint16(raw[14:])) != len(raw)-16 {
		return from, to, errors.New("another length")
	}
	body := raw[16:]
	size := map[byte]int{0x11: 4, 0x21: 16}[raw[13]]
	switch {
	case raw[12]&15 == 0:
		return from, to, nil
	case raw[12]&15 != 1 || size == 0 || len(body) != 2*size+4:
		return from, to, errors.New("neither LOCAL nor PROXY of TCP")
	}
	src, _ := netip.AddrFromSlice(body[:size])
	dst, _ := netip.AddrFromSlice(body[size : 2*size])
	ports := body[2*size:]
	return netip.AddrPortFrom(src, binary.BigEndian.Uint16(ports)), netip.AddrPortFrom(dst, binary.BigEndian.Uint16(ports[2:])), nil
}

func TestAProxyHeaderIsAsTheProtocolHasIt(t *testing.T) {
	got := proxyHeader(netip.MustParseAddrPort("[::ffff:192.0.2.7]:4660"), netip.MustParseAddrPort("198.51.100.1:80"))
	want := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x34\x00\x50"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if _, _, err := readHeader(localHeader()); err != nil {
		t.Errorf("of nobody: %v", err)
	}
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte{192, 0, 2, 1}, []byte{192, 0, 2, 2}, uint16(1), uint16(2))
	f.Add(make([]byte, 16), []byte{192, 0, 2, 2}, uint16(0), uint16(65535))
	f.Fuzz(func(t *testing.T, src, dst []byte, p, q uint16) {
		s, ok1 := netip.AddrFromSlice(src)
		d, ok2 := netip.AddrFromSlice(dst)
		if !ok1 || !ok2 {
			return
		}
		from, to, err := readHeader(proxyHeader(netip.AddrPortFrom(s, p), netip.AddrPortFrom(d, q)))
		if err != nil || from.Addr().Unmap() != s.Unmap() || to.Addr().Unmap() != d.Unmap() || from.Port() != p || to.Port() != q {
			t.Errorf("%v %d to %v %d came back as %v to %v, %v", s, p, d, q, from, to, err)
		}
	})
}
