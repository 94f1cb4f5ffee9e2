package bundle

import (
	"os"
	"syscall"
)

// inode tells a file from another one that was put in its place.
func inode(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
