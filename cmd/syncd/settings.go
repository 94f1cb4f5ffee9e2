package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
)

// settings is the configuration file with the flags over it.
type settings struct {
	host config.Host
	// unread is why the default configuration file was left out: this user may
	// not read it. It matters only where no agent answers.
	unread error
}

// settings reads the configuration file and puts the flags over it.
func (c *cli) settings() (settings, error) {
	s, err := c.file()
	if err != nil {
		return s, err
	}
	if err := c.flags.overlay(&s.host); err != nil {
		return s, err
	}
	atHome(&s.host, kube.InPod())
	s.host = s.host.Defaults()
	if s.host.Host.Name == "" {
		if s.host.Host.Name, err = os.Hostname(); err != nil {
			return s, fmt.Errorf("find this host's name: %w", err)
		}
	}
	return s, nil
}

func (c *cli) file() (settings, error) {
	path := c.flags.config
	if path == "" {
		if c.flags.repo != "" || !exists(defaultConfig) {
			return settings{}, nil
		}
		path = defaultConfig
	}
	host, err := config.LoadHost(path)
	if c.flags.config == "" && errors.Is(err, fs.ErrPermission) {
		return settings{unread: err}, nil
	}
	return settings{host: host}, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// overlay puts the flags over a configuration. A login is never sent to another
// repository than the one that it was written down for.
func (f *flags) overlay(h *config.Host) error {
	if f.repo != "" {
		repo, err := repoURL(f.repo)
		if err != nil {
			return err
		}
		if repo != h.Repo.URL {
			h.Repo.Auth, h.Repo.Mirrors = config.Auth{}, nil
		}
		h.Repo.URL = repo
	}
	if f.path != "" {
		if !filepath.IsLocal(f.path) {
			return hinted("name a directory below the repository's root", "--path %q leaves the repository", f.path)
		}
		h.Repo.Path = filepath.ToSlash(filepath.Clean(f.path))
	}
	if f.branch+f.tag+f.commit != "" {
		h.Repo.Ref = config.Ref{Branch: f.branch, Tag: f.tag, Commit: f.commit}
	}
	if err := f.aim(h); err != nil {
		return err
	}
	return f.places(h)
}

// places makes paths absolute. A state directory of one's own brings a socket of
// its own: a command must never talk to the agent of another directory.
func (f *flags) places(h *config.Host) error {
	if f.state != "" {
		state, err := filepath.Abs(f.state)
		if err != nil {
			return fmt.Errorf("find --state: %w", err)
		}
		if state != h.State {
			h.Socket = filepath.Join(state, "syncd.sock")
		}
		h.State = state
	}
	if f.socket != "" {
		socket, err := filepath.Abs(f.socket)
		if err != nil {
			return fmt.Errorf("find --socket: %w", err)
		}
		h.Socket = socket
	}
	return nil
}

// repoURL makes a relative directory absolute and leaves addresses as they are.
func repoURL(url string) (string, error) {
	if strings.Contains(url, ":") || !exists(url) {
		return url, nil
	}
	abs, err := filepath.Abs(url)
	if err != nil {
		return "", fmt.Errorf("find --repo: %w", err)
	}
	return abs, nil
}
