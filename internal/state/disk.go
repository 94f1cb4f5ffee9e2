package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
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
func setAside(path string) (string, error) {
	aside := path + ".broken-" + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	older, err := filepath.Glob(path + ".broken-*")
	if err != nil {
		return "", fmt.Errorf("list damaged files: %w", err)
	}
	slices.Sort(older)
	for _, name := range older[:max(0, len(older)-keepBroken)] {
		if err := discard(name); err != nil {
			return "", err
		}
	}
	return aside, nil
}
