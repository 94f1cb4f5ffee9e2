package server

import (
	"os"
	"syscall"
	"unsafe"
)

// soPeerGroups is SO_PEERGROUPS (Linux 4.13), which package syscall does not
// name: the supplementary groups that the peer had when it connected. A look
// into /etc/group would not know the groups that come from a directory service.
const soPeerGroups = 59

// maxGroups is the kernel's own limit of groups of one process.
const maxGroups = 65536

func peerGroups(fd int) ([]int, error) {
	raw := make([]uint32, 64)
	for {
		size := uint32(4 * len(raw))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, soPeerGroups,
			uintptr(unsafe.Pointer(&raw[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == syscall.ERANGE && len(raw) < maxGroups: // size now says how much room it takes
			raw = make([]uint32, max(int(size/4), 2*len(raw)))
		case errno != 0:
			return nil, os.NewSyscallError("getsockopt SO_PEERGROUPS", errno)
		default:
			groups := make([]int, size/4)
			for i := range groups {
				groups[i] = int(raw[i])
			}
			return groups, nil
		}
	}
}
