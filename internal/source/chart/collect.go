package chart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/config"
)

// grace is how long a file stays that was handed out, and what a fetch is writing.
const grace = 10 * time.Minute

// cached is the file of a chart in the cache, which Collect leaves alone for now.
func (s *Store) cached(dir string, want config.Chart) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, ok := cachedFiles(dir, want)
	if !ok {
		return "", false
	}
	for _, file := range files {
		s.lent[file] = s.opts.Now()
	}
	return files[0], true
}

// Collect removes all charts but those in keep, and what broken off fetches left.
// What was fetched or handed out within the last ten minutes stays; the next Collect
// looks again.
func (s *Store) Collect(keep ...config.Chart) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, err := filepath.Abs(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("find the cache of charts: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the charts: %w", err)
	}
	needed := map[string]bool{}
	for _, want := range keep {
		files, _ := cachedFiles(dir, want) // what is not there needs no keeping
		for _, file := range files {
			needed[file] = true
		}
	}
	var all error
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if needed[file] || s.recent(file, e) {
			continue
		}
		delete(s.lent, file)
		if err := os.RemoveAll(file); err != nil {
			all = errors.Join(all, fmt.Errorf("remove chart: %w", err))
		}
	}
	return all
}

func (s *Store) recent(file string, e fs.DirEntry) bool {
	now := s.opts.Now()
	if now.Sub(s.lent[file]) < grace {
		return true
	}
	info, err := e.Info()
	return err == nil && now.Sub(info.ModTime()) < grace
}
