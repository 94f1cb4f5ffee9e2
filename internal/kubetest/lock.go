package kubetest

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// lock waits until no other process holds the lock on a file. The system frees
// it when its holder ends, however that ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock %s: %w", path, err)
	}
	try := func(context.Context) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
	if err := await(ctx, try); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("wait for the lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil // closing frees it
}
