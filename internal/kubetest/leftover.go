package kubetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// prefix of the names of clusters' directories: who started it follows.
func prefix() string { return fmt.Sprintf("syncd-kubetest-%d-", os.Getpid()) }

// Sweep clears away the clusters of this user's tests that were killed.
func Sweep(ctx context.Context) error {
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), fmt.Sprintf("syncd-kubetest.%d.lock", os.Getuid())))
	if err != nil {
		return err
	}
	defer unlock()
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), "syncd-kubetest-*"))
	if err != nil {
		return fmt.Errorf("look for what killed tests left: %w", err)
	}
	var errs []error
	for _, dir := range dirs {
		if abandoned(dir) {
			errs = append(errs, sweep(ctx, dir))
		}
	}
	return errors.Join(errs...)
}

// abandoned tells whether who started the cluster in dir has ended.
func abandoned(dir string) bool {
	pid, _, found := strings.Cut(strings.TrimPrefix(filepath.Base(dir), "syncd-kubetest-"), "-")
	if _, err := strconv.Atoi(pid); err != nil || !found {
		return false
	}
	var owner syscall.Stat_t
	if syscall.Stat(dir, &owner) != nil || int(owner.Uid) != os.Getuid() {
		return false
	}
	_, err := os.Stat("/proc/" + pid)
	return errors.Is(err, os.ErrNotExist)
}
