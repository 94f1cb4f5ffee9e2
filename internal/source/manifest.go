package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/source/remote"
)

const (
	manifestName = "manifest.json"
	// FilesName is the directory of a snapshot that holds the repository's files.
	FilesName = "files"
	// maxManifest is how long a manifest may be, in bytes.
	maxManifest = 256 << 20
)

var (
	errNoCommit = errors.New("the answer names no commit")
	errManifest = errors.New("the manifest is damaged")
)

// encodeManifest writes a line with the SHA-256 of the rest, then the snapshot
// as JSON without its directory. The digest is that of all bytes, in hex.
func encodeManifest(s Snapshot) (data []byte, digest string, err error) {
	s.Dir = ""
	body, err := json.Marshal(s)
	if err != nil {
		return nil, "", fmt.Errorf("encode the manifest: %w", err)
	}
	data = fmt.Appendf(nil, "%x\n%s", sha256.Sum256(body), body)
	return data, sum(data), nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// parseManifest is the inverse, and checks that every path stays inside, is in
// order and stands once.
func parseManifest(data []byte) (Snapshot, error) {
	var s Snapshot
	hash, body, ok := bytes.Cut(data, []byte{'\n'})
	if !ok || string(hash) != sum(body) {
		return s, errManifest
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Snapshot{}, fmt.Errorf("%w: %w", errManifest, err)
	}
	if !remote.ValidCommit(s.Revision.Commit) || s.Dir != "" {
		return Snapshot{}, errManifest
	}
	last := ""
	for _, f := range s.Files {
		if !filepath.IsLocal(f.Path) || strings.Contains(f.Path, "\x00") || f.Path <= last {
			return Snapshot{}, errManifest
		}
		last = f.Path
	}
	return s, nil
}

// WriteManifest puts a snapshot's manifest into dir and returns the digest of
// its bytes. The child calls it when everything else is written.
func WriteManifest(dir string, s Snapshot) (digest string, err error) {
	data, digest, err := encodeManifest(s)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(filepath.Join(dir, manifestName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the manifest: %w", err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return "", fmt.Errorf("write the manifest: %w", err)
	}
	return digest, nil
}

// ReadSnapshot reads what WriteManifest left in dir, without a look at the files.
func ReadSnapshot(dir string) (Snapshot, error) { return readManifest(dir, "") }

// readManifest reads the manifest in dir; where want is given, its bytes must
// have that digest.
func readManifest(dir, want string) (Snapshot, error) {
	path := filepath.Join(dir, manifestName)
	info, err := os.Lstat(path)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read the manifest: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxManifest {
		return Snapshot{}, errManifest
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read the manifest: %w", err)
	}
	if want != "" && sum(data) != want {
		return Snapshot{}, errManifest
	}
	s, err := parseManifest(data)
	s.Dir = filepath.Join(dir, FilesName)
	return s, err
}
