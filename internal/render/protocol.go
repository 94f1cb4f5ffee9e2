// Package render is the border between the agent and the child that renders
// untrusted content: requests and answers as plain data. The renderers live in
// the packages below it and are linked into the child only.
package render

import (
	"path"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

// DiscoverRequest asks which apps a snapshot holds.
type DiscoverRequest struct {
	// Root is the snapshot's directory; Path the directory below it that holds
	// the apps, "" for all.
	Root string `json:"root"`
	Path string `json:"path"`
	// Kubernetes asks for the apps of a cluster instead of those of an engine.
	// Values are what ${…} may use in their settings.
	Kubernetes bool              `json:"kubernetes,omitempty"`
	Values     map[string]string `json:"values,omitempty"`
	// Refused are paths that exist in Git but were not written, with the reason:
	// a refused Compose file is an app in error, not an app that is gone.
	Refused map[string]string `json:"refused,omitempty"`
}

// Discovery is the answer: every app directory in path order.
type Discovery struct {
	Apps []App `json:"apps"`
}

// App is one app directory of the repository.
type App struct {
	// Name is the project: name: in the Compose file, else in .syncd.yaml, else
	// the directory's.
	Name string `json:"name"`
	// Dir is slash-separated and relative to the repository's root; "." is the root.
	Dir    string     `json:"dir"`
	Config config.App `json:"config"`
	// Error says why the app cannot be used (a broken .syncd.yaml, two apps of
	// one name); empty where it can. Hint is what to do about it.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// File is the path of the app's first Compose file, for messages: the one that its
// settings name, else the first of ComposeFiles that tracked has, else where it
// would be.
func (a App) File(tracked map[string]string) string {
	if len(a.Config.Compose) > 0 {
		return path.Join(a.Dir, a.Config.Compose[0])
	}
	for _, name := range ComposeFiles() {
		if _, there := tracked[path.Join(a.Dir, name)]; there {
			return path.Join(a.Dir, name)
		}
	}
	return path.Join(a.Dir, ComposeFiles()[0])
}

// ComposeFiles are the names that a Compose file is found by, in Compose's order.
func ComposeFiles() []string {
	return []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
}

// Shared is what the requests of one revision on one host have in common. It does not
// change once a request was made with it: requests that point to the same one are
// answered by one child where they come at once.
type Shared struct {
	Root string `json:"root"`
	// Kubernetes asks for objects of a cluster instead of an engine.
	Kubernetes bool `json:"kubernetes,omitempty"`
	// Values are what ${…} may use: the host's vars and the content of its
	// envFiles. Secret names those of them that came from files: wherever such a
	// value ends up, it is masked.
	Values map[string]string `json:"values"`
	Secret []string          `json:"secret"`
	// Tracked are the paths of the snapshot that exist in Git, with their hashes
	// ("mode hash"), so that mounts are addressed by content without reading them.
	// For a cluster, where nothing is mounted from here, nobody asks for them.
	Tracked map[string]string `json:"tracked,omitempty"`
	// Paths are Tracked's keys in order, where somebody has worked them out.
	Paths []string `json:"-"`
	// Refused are paths that exist in Git but were not written, with the reason.
	Refused map[string]string `json:"refused,omitempty"`
	// MaxObjects and MaxBytes bound the answer for one app.
	MaxObjects int   `json:"maxObjects"`
	MaxBytes   int64 `json:"maxBytes"`
}

// Request asks for the objects of one app.
type Request struct {
	*Shared `json:"-"`

	App App `json:"app"`
	// Chart is the archive of the app's chart, where it is not in the repository.
	Chart string `json:"chart,omitempty"`
	// HostDir is where relative binds live that are writable or untracked; empty
	// where the host has none for this app.
	HostDir string `json:"hostDir"`
}

// Batch asks for the objects of several apps, which are answered one after the other,
// in this order. What they share is said once.
type Batch struct {
	Shared   *Shared   `json:"shared"`
	Requests []Request `json:"requests"`
}

// Answer is what an app renders to. The same request gives the same bytes.
type Answer struct {
	Objects []resource.Object `json:"objects"`
	// Mounts are the files that containers mount from mount:HASH/NAME.
	Mounts []Mount `json:"mounts,omitempty"`
	// Inputs are the repository paths that the rendering read, mounted
	// directories included, in order; the app is rendered again when one of them
	// changes, appears or disappears.
	Inputs []string `json:"inputs"`
	// Variables are the names of the values that were used.
	Variables []string `json:"variables,omitempty"`
	// Notes are fields that were understood and ignored (build, develop), each
	// with file, service and field.
	Notes []string `json:"notes,omitempty"`
}

// Mount is one file or tree that containers mount read-only.
type Mount struct {
	// Hash is over bytes, names, modes and owner: the directory's name below the
	// state directory's mounts.
	Hash string `json:"hash"`
	// Name is the entry below it that is bound.
	Name string `json:"name"`
	// Path is the source in the repository (a file or a directory); empty where
	// Content is the source.
	Path string `json:"path,omitempty"`
	// Content is that of a config or secret given inline or by a value.
	Content []byte `json:"content,omitempty"`
	// Mode is the permission bits; 0 keeps Git's (0644, 0755). UID and GID own it.
	Mode uint32 `json:"mode,omitempty"`
	UID  int    `json:"uid,omitempty"`
	GID  int    `json:"gid,omitempty"`
}
