package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// store is a map that survives: every change is on disk before it is answered.
type store struct {
	mu     sync.Mutex
	path   string
	values map[string]string
}

// openStore reads what dir holds; a directory without data is an empty store.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	s := &store{path: filepath.Join(dir, "store.json"), values: map[string]string{}}
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	if err := json.Unmarshal(raw, &s.values); err != nil {
		return nil, fmt.Errorf("read the store %s: %w", s.path, err)
	}
	return s, nil
}

// do carries out "get KEY", "set KEY VALUE" or "incr KEY" and returns the value.
func (s *store) do(request string) (string, error) {
	words := strings.SplitN(strings.TrimSpace(request), " ", 3)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(words) == 2 && words[0] == "get":
		return s.values[words[1]], nil
	case len(words) == 3 && words[0] == "set":
		return s.keep(words[1], words[2])
	case len(words) == 2 && words[0] == "incr":
		n, err := strconv.Atoi(s.values[words[1]])
		if err != nil && s.values[words[1]] != "" {
			return "", fmt.Errorf("%s is no number", words[1])
		}
		return s.keep(words[1], strconv.Itoa(n+1))
	}
	return "", fmt.Errorf("want get KEY, set KEY VALUE or incr KEY, not %q", request)
}

// keep writes all values to a new file and renames it into place.
func (s *store) keep(key, value string) (string, error) {
	s.values[key] = value
	raw, err := json.Marshal(s.values)
	if err != nil {
		return "", fmt.Errorf("encode the store: %w", err)
	}
	if err := os.WriteFile(s.path+".new", raw, 0o600); err != nil {
		return "", fmt.Errorf("write the store: %w", err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return "", fmt.Errorf("write the store: %w", err)
	}
	return value, nil
}
