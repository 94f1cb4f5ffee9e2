package docker

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"syncd.io/syncd/internal/spec"
)

// mountsDir returns the directory of materialised files as the engine sees it.
// It is found once: an agent does not change its own mounts.
func (e *Engine) mountsDir(ctx context.Context) (string, error) {
	e.mu.Lock()
	known := e.mounts
	e.mu.Unlock()
	if known != nil || e.opts.Mounts == "" {
		return cmp.Or(deref(known), e.opts.Mounts), nil
	}
	own, err := e.Self(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Clean(e.opts.Mounts)
	if own != nil {
		var ok bool
		if dir, ok = Translate(own.Mounts, dir); !ok {
			return "", rejected("mount the state directory into syncd's container, at the same path best (-v /var/lib/syncd:/var/lib/syncd)",
				"the engine cannot see %s: it is inside syncd's container %s only", e.opts.Mounts, strings.TrimPrefix(own.Name, "/"))
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mounts = &dir
	return dir, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Self returns the container that this process runs in; nil where it runs in
// none that this engine knows.
func (e *Engine) Self(ctx context.Context) (*container.InspectResponse, error) {
	for _, id := range selfIDs() {
		in, err := e.inspect(ctx, id)
		if cerrdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find syncd's own container: %w", err)
		}
		if strings.HasPrefix(in.ID, id) {
			return &in, nil
		}
	}
	return nil, nil //nolint:nilnil // documented: not in a container
}

// selfIDs returns what may be the ID of the container around this process. Any
// file may be missing: then it has nothing to say.
func selfIDs() []string {
	var ids []string
	for _, path := range []string{"/proc/self/cgroup", "/proc/self/mountinfo"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		ids = append(ids, containerIDs(string(text))...)
	}
	if _, err := os.Stat("/.dockerenv"); err == nil {
		if host, err := os.Hostname(); err == nil && shortID.MatchString(host) {
			ids = append(ids, host)
		}
	}
	return ids
}

var (
	shortID  = regexp.MustCompile(`^[0-9a-f]{12}$`)
	inCgroup = regexp.MustCompile(`docker[-/]([0-9a-f]{64})`)
	inMounts = regexp.MustCompile(`/containers/([0-9a-f]{64})/(?:hostname|hosts|resolv\.conf) (/etc/\S+)`)
)

// containerIDs finds the container's ID in the text of /proc/self/cgroup (the
// cgroup's path) or /proc/self/mountinfo (the engine's own files on /etc). On a
// host, the mounts of other containers do not match: they are not on /etc.
func containerIDs(text string) []string {
	var ids []string
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		for _, pattern := range []*regexp.Regexp{inCgroup, inMounts} {
			if m := pattern.FindStringSubmatch(line); m != nil && (pattern == inMounts || strings.Count(line, ":") >= 2) {
				ids = append(ids, m[1])
			}
		}
	}
	return ids
}

// Translate says a path inside a container as the engine's host has it, by the
// container's own mounts; ok is false where the path is on none of them.
func Translate(mounts []container.MountPoint, path string) (host string, ok bool) {
	best := -1
	for i, m := range mounts {
		_, below := below(m.Destination, path)
		if below && m.Type != mount.TypeTmpfs && (best < 0 || len(m.Destination) > len(mounts[best].Destination)) {
			best = i
		}
	}
	if best < 0 {
		return "", false
	}
	rest, _ := below(mounts[best].Destination, path)
	return filepath.Join(mounts[best].Source, rest), true
}

// below returns path relative to dir; ok is false where it is not in it.
func below(dir, path string) (rest string, ok bool) {
	dir, path = filepath.Clean(dir), filepath.Clean(path)
	if path == dir {
		return "", true
	}
	if dir != "/" {
		dir += "/"
	}
	return strings.CutPrefix(path, dir)
}

// symbolicMounts says binds from the directory of materialised files as
// mount:HASH/NAME.
func (s *snapshot) symbolicMounts(h *container.HostConfig) {
	if s.mounts == "" {
		return
	}
	list := slices.Clone(h.Mounts)
	for i, m := range list {
		if rest, ok := below(s.mounts, m.Source); ok && rest != "" && m.Type == mount.TypeBind {
			list[i].Source = spec.MountPrefix + rest
		}
	}
	lines := slices.Clone(h.Binds)
	for i, line := range lines {
		source, options := cutSource(line)
		if rest, ok := below(s.mounts, source); ok && rest != "" {
			lines[i] = spec.MountPrefix + rest + ":" + options
		}
	}
	h.Mounts, h.Binds = list, lines
}

// materialised is the opposite: paths as the engine sees them. Errors: Rejected
// for a file that is not there, which an engine would make from a short bind.
func (t *Target) materialised(s *snapshot, h *container.HostConfig) error {
	for i, m := range h.Mounts {
		if rest, ok := strings.CutPrefix(m.Source, spec.MountPrefix); ok {
			h.Mounts[i].Source = filepath.Join(s.mounts, rest)
		}
	}
	for i, line := range h.Binds {
		source, options := cutSource(line)
		rest, ok := strings.CutPrefix(source, spec.MountPrefix)
		if !ok {
			continue
		}
		if _, err := os.Stat(filepath.Join(t.engine.opts.Mounts, rest)); err != nil {
			return rejected("syncd makes it before each change: look for who removes files from its state directory", "mount %s: %w", rest, err)
		}
		h.Binds[i] = filepath.Join(s.mounts, rest) + ":" + options
	}
	return nil
}
