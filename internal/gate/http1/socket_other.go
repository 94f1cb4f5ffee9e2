//go:build !linux

package http1

import (
	"errors"
	"net"
	"syscall"
)

// A gate runs in a Linux container. Elsewhere the package compiles, and reads
// through net.Conn alone.
func socket(net.Conn) syscall.RawConn { return nil }

func readSocket(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }

func writeSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func quiet(uintptr) bool { return false }

func peerGone(uintptr) bool { return false }
