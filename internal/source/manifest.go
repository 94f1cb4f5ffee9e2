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
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/source/remote"
)

const (
	manifestName = "manifest"
	// FilesName is the directory of a snapshot that holds the repository's files.
	FilesName = "files"
	// maxManifest is how long a manifest may be, in bytes.
	maxManifest = 256 << 20
)

var (
	errNoCommit = errors.New("the answer names no commit")
	errManifest = errors.New("the manifest is damaged")
)

// encodeManifest writes a line with the SHA-256 of the rest, the revision as a line of
// JSON, and a line for each file: mode, size, hash, path and, behind a tab, why it was
// refused. (Ten thousand files as JSON take a child longer to read than to fetch what
// is new.) The digest is that of all bytes, in hex.
func encodeManifest(s Snapshot) (data []byte, digest string, err error) {
	body, err := json.Marshal(s.Revision)
	if err != nil {
		return nil, "", fmt.Errorf("encode the manifest: %w", err)
	}
	body = append(slices.Grow(body, 128*len(s.Files)), '\n')
	for _, f := range s.Files {
		if strings.ContainsAny(f.Path+f.Refused, "\n\t") || f.Hash == "" {
			return nil, "", fmt.Errorf("encode the manifest: %w: %q", errManifest, f.Path)
		}
		body = strconv.AppendUint(body, uint64(f.Mode), 8)
		body = strconv.AppendInt(append(body, ' '), f.Size, 10)
		body = append(append(append(body, ' '), f.Hash...), ' ')
		body = append(append(append(body, f.Path...), '\t'), f.Refused...)
		body = append(body, '\n')
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
	head, rest, ok := strings.Cut(string(body), "\n")
	dec := json.NewDecoder(strings.NewReader(head))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.Revision); err != nil || !ok || !remote.ValidCommit(s.Revision.Commit) {
		return Snapshot{}, errManifest
	}
	s.Files = make([]File, 0, strings.Count(rest, "\n"))
	for last := ""; rest != ""; {
		line, more, ended := strings.Cut(rest, "\n")
		f, ok := parseFile(line)
		if !ok || !ended || !inside(f.Path) || f.Path <= last {
			return Snapshot{}, errManifest
		}
		s.Files = append(s.Files, f)
		last, rest = f.Path, more
	}
	return s, nil
}

// parseFile reads one file's line. What it returns is part of the line.
func parseFile(line string) (f File, ok bool) {
	mode, rest, _ := strings.Cut(line, " ")
	size, rest, _ := strings.Cut(rest, " ")
	hash, rest, _ := strings.Cut(rest, " ")
	path, refused, ok := strings.Cut(rest, "\t")
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil || !ok || !remote.ValidCommit(hash) || strings.Contains(refused, "\t") {
		return File{}, false
	}
	f = File{Path: path, Hash: hash, Mode: uint32(bits), Refused: refused}
	f.Size, err = strconv.ParseInt(size, 10, 64)
	return f, err == nil && f.Size >= 0
}

// inside tells whether a path is a plain one below the root.
func inside(path string) bool {
	return filepath.IsLocal(path) && !strings.Contains(path, "\x00")
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
