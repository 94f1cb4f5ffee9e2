// Package source brings Git to the host: which commit a ref names (cheap, one
// ref query) and the files of one commit (a snapshot directory, made by the
// child and trusted only after it was renamed into place).
package source

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/source/verify"
)

// Revision is one Git commit.
type Revision struct {
	// Commit is the full lower-case hex object name.
	Commit string `json:"commit"`
	// Ref is what was followed: a branch, a tag, or the commit itself.
	Ref     string    `json:"ref,omitempty"`
	Author  string    `json:"author,omitempty"`
	Email   string    `json:"email,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Time    time.Time `json:"time"`
	// Signer is who signed it; nobody where that was not asked for. What the child
	// says of it is not believed.
	Signer verify.Signer `json:"signer,omitzero"`
}

// Short returns the first ten digits of the commit, as people quote it.
func (r Revision) Short() string {
	if len(r.Commit) > 10 {
		return r.Commit[:10]
	}
	return r.Commit
}

// File is one path of a snapshot.
type File struct {
	// Path is slash-separated and relative to the repository's root.
	Path string `json:"path"`
	// Hash is Git's object name of the content: it changes with the bytes only.
	Hash string `json:"hash"`
	// Mode is Git's file mode: 100644, 100755 or 120000 (a symlink).
	Mode uint32 `json:"mode"`
	Size int64  `json:"size"`
	// Refused says why the file was not written (too large, a link that leaves
	// the repository); empty where it was. An app that reads it is rejected.
	Refused string `json:"refused,omitempty"`
}

// Snapshot is one commit's files on disk, read-only.
type Snapshot struct {
	Revision Revision `json:"revision"`
	// Dir is the absolute directory that holds the repository's files.
	Dir string `json:"dir"`
	// Files are all paths in the commit, in path order.
	Files []File `json:"files"`
	// lease keeps the files where Load put them, as long as anybody has a copy.
	lease *lease
}

// Tracked is what the snapshot holds in the form that rendering wants: path to
// "mode hash"; and of those paths the ones that were not written, with the reason.
func (s Snapshot) Tracked() (tracked, refused map[string]string) {
	tracked, refused = map[string]string{}, map[string]string{}
	for _, f := range s.Files {
		tracked[f.Path] = fmt.Sprintf("%o %s", f.Mode, f.Hash)
		if f.Refused != "" {
			refused[f.Path] = f.Refused
		}
	}
	return tracked, refused
}
