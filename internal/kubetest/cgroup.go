package kubetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const cgroups = "/sys/fs/cgroup"

// hierarchies returns the directories in which a cgroup has to be made: the one
// of version 2, or one for every controller of version 1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(cgroups + "/cgroup.controllers"); err == nil {
		return []string{cgroups}, nil
	}
	entries, err := os.ReadDir(cgroups)
	if err != nil {
		return nil, fmt.Errorf("look for cgroups: %w", err)
	}
	var found []string
	for _, entry := range entries {
		path := filepath.Join(cgroups, entry.Name())
		if _, err := os.Stat(path + "/cgroup.procs"); err == nil && entry.IsDir() {
			found = append(found, path)
		}
	}
	return found, nil
}

// makeCgroups makes a cgroup in every hierarchy; the kubelet wants it there.
func makeCgroups(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := os.MkdirAll(root+name, 0o755); err != nil {
			return fmt.Errorf("make a cgroup: %w", err)
		}
		if err := fillCpuset(root, name); err != nil {
			return err
		}
		if err := openControllers(root); err != nil {
			return err
		}
	}
	return nil
}

// fillCpuset gives a cpuset of version 1 what its parent has: it starts empty,
// and nothing runs in an empty one.
func fillCpuset(root, name string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		all, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(root+name, file), all, 0o644)
		}
		if err != nil {
			return fmt.Errorf("share %s: %w", file, err)
		}
	}
	return nil
}

// openControllers lets the children of a version 2 root have what it has.
func openControllers(root string) error {
	has, err := os.ReadFile(root + "/cgroup.controllers")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the controllers of %s: %w", root, err)
	}
	for _, name := range strings.Fields(string(has)) {
		// One that cannot be had is missed by the kubelet, which names it.
		_ = os.WriteFile(root+"/cgroup.subtree_control", []byte("+"+name), 0o644)
	}
	return nil
}

// members returns the processes in a cgroup and below it.
func members(name string) []int {
	roots, err := hierarchies()
	if err != nil {
		return nil
	}
	var found []int
	for _, root := range roots {
		_ = filepath.WalkDir(root+name, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return nil //nolint:nilerr // a cgroup that has gone has no members
			}
			content, _ := os.ReadFile(filepath.Join(path, "cgroup.procs")) // likewise
			for _, field := range strings.Fields(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && !slices.Contains(found, pid) {
					found = append(found, pid)
				}
			}
			return nil
		})
	}
	return found
}

// removeCgroups removes an empty cgroup and those below it, the deepest first.
func removeCgroups(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	var errs []error
	for _, root := range roots {
		var paths []string
		_ = filepath.WalkDir(root+name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				paths = append(paths, path)
			}
			return nil // what has gone need not be removed
		})
		for _, path := range slices.Backward(paths) {
			if err := syscall.Rmdir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("remove the cgroup %s: %w", path, err))
			}
		}
	}
	return errors.Join(errs...)
}
