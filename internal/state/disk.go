package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"syncd.io/syncd/internal/durable"
)

// keepBroken is how many damaged files of one name are kept for a person to
// look at.
const keepBroken = 3

// discard removes a file that may not be there.
func discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// setAside renames a damaged file to NAME.broken-TIME and drops older ones.
func setAside(path string) error {
	if err := os.Rename(path, asideOf(path)); err != nil {
		return err
	}
	return dropOlder(path)
}

// copyAside keeps the content of a damaged file as setAside does; the file stays, to
// be replaced.
func copyAside(path string, content []byte) (string, error) {
	aside := asideOf(path)
	if err := durable.Replace(aside, content); err != nil {
		return "", err
	}
	return aside, dropOlder(path)
}

func asideOf(path string) string {
	return path + ".broken-" + time.Now().UTC().Format("20060102T150405.000000000Z")
}

// dropOlder removes all but the newest of what was set aside for path.
func dropOlder(path string) error {
	older, err := broken(path)
	if err != nil {
		return err
	}
	for _, name := range older[:max(0, len(older)-keepBroken)] {
		if err := discard(name); err != nil {
			return err
		}
	}
	return nil
}

// broken are the damaged files that were set aside for path, the oldest first.
func broken(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("look for damaged files: %w", err)
	}
	var all []string
	for _, e := range entries { // in order
		if strings.HasPrefix(e.Name(), filepath.Base(path)+".broken-") {
			all = append(all, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return all, nil
}
