package compose

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strings"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/spec"
)

// symlinkMode is how Git marks a symlink.
const symlinkMode = "120000"

// owner is who owns a materialised file, and with what permissions; zero keeps
// Git's.
type owner struct {
	mode     uint32
	uid, gid int
}

// material materialises a tracked file or directory and returns the source of
// its bind, false where Git has no such path.
func (a *app) material(service, field, rel string, o owner) (string, bool, error) {
	canonical, err := a.repo.Follow(rel)
	if err != nil {
		return "", false, a.reject(service, field, "", "%s: %w", rel, err)
	}
	for _, p := range []string{rel, canonical} {
		if refused, why := a.repo.Refused(p); refused != "" {
			return "", false, a.reject(service, field, "", "%s: %s", refused, why)
		}
	}
	files := a.repo.Below(canonical)
	if len(files) == 0 {
		a.repo.Input(rel)
		return "", false, nil
	}
	if err := a.selfContained(service, field, canonical, files); err != nil {
		return "", false, err
	}
	m := render.Mount{Name: mountName(rel), Path: canonical, Mode: o.mode, UID: o.uid, GID: o.gid}
	m.Hash = a.hash(m, files)
	a.readMount(rel, canonical)
	return a.keep(m), true, nil
}

// keep remembers a mount and returns the source that binds it.
func (a *app) keep(m render.Mount) string {
	source := m.Hash + "/" + m.Name
	a.mounts[source] = m
	return spec.MountPrefix + source
}

// mountName is the last element of the path as the user wrote it.
func mountName(rel string) string {
	if name := path.Base(rel); name != "." && name != "/" {
		return name
	}
	return "root"
}

// readMount makes the mounted file or directory an input.
func (a *app) readMount(rel, canonical string) {
	if _, file := a.repo.Blob(canonical); !file && canonical != "." {
		canonical += "/"
	} else if !file {
		canonical = "./"
	}
	a.repo.Input(canonical)
	if rel != strings.TrimSuffix(canonical, "/") {
		a.repo.Input(rel)
	}
}

// isTracked tells whether Git has the path, as a file or as a directory.
func (a *app) isTracked(rel string) bool { return len(a.repo.Below(rel)) > 0 }

// selfContained rejects symlinks that lead out of what is mounted: their targets
// would be missing in the container, or not hashed.
func (a *app) selfContained(service, field, dir string, files []string) error {
	for _, f := range files {
		blob, _ := a.repo.Blob(f)
		if mode, _, _ := strings.Cut(blob, " "); mode != symlinkMode {
			continue
		}
		switch _, err := a.repo.FollowIn(dir, strings.TrimPrefix(f, dir+"/")); {
		case errors.Is(err, repo.ErrOutside):
			return a.reject(service, field, "mount the directory that holds both", "%s is a symlink out of %s, which is what is mounted", f, dir)
		case err != nil:
			return a.reject(service, field, "", "%s: %w", f, err)
		}
	}
	return nil
}

// hash is over relative paths, modes and blob hashes, over the name and the
// owner: it changes exactly when what the container sees does.
func (a *app) hash(m render.Mount, files []string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "tree\x00%s\x00%o %d %d\x00", m.Name, m.Mode, m.UID, m.GID)
	for _, f := range files {
		rel := strings.TrimPrefix(strings.TrimPrefix(f, m.Path), "/")
		blob, _ := a.repo.Blob(f)
		fmt.Fprintf(sum, "%s\x00%s\x00", rel, blob)
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

// inline materialises a content that stands in the Compose file or comes from
// a value.
func (a *app) inline(name string, content []byte, o owner) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "content\x00%s\x00%o %d %d\x00", name, o.mode, o.uid, o.gid)
	sum.Write(content)
	return a.keep(render.Mount{
		Hash: hex.EncodeToString(sum.Sum(nil))[:32], Name: name, Content: content,
		Mode: o.mode, UID: o.uid, GID: o.gid,
	})
}
