// Package pack makes and reads packs: one file that carries revisions and images to
// a host that no network reaches. A pack is an uncompressed tar archive: a manifest,
// its signature, then the members that the manifest lists, and nothing else.
package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Names of members.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.json.sig"
	// BundleName is the Git bundle with the revisions.
	BundleName = "repo.bundle"
	// LayoutName is the directory with the images: an OCI layout, which lacks the
	// blobs that the other side has.
	LayoutName = "oci"
)

// Suffix is how the names of packs end.
const Suffix = ".syncdpack"

const (
	version      = 2
	oldest       = 1 // that is read
	maxManifest  = 16 << 20
	maxSignature = 64 << 10
	maxMembers   = 100_000
	maxMember    = 1 << 43 // bytes; that many of them are no overflow
)

// Manifest says what a pack brings, and what the other side must have.
type Manifest struct {
	Version int `json:"version"`
	// Made is when, by the clock of who made it.
	Made time.Time `json:"made"`
	// By names the program.
	By string `json:"by,omitempty"`
	// Since are the commits that the other side has; none where the pack has all.
	Since []string `json:"since,omitempty"`
	// After is the ID of the pack that came before it: the one of the receipt that it
	// was made with. Empty where that is not known.
	After string `json:"after,omitempty"`
	// To is the revision that the pack brings, Ref what it was followed by.
	To  string `json:"to"`
	Ref string `json:"ref,omitempty"`
	// Commits are To and what it builds on that the other side may not have, at most
	// MaxCommits: packs are ordered by them.
	Commits []string `json:"commits,omitempty"`
	// Images are those that the revision's apps need.
	Images []Image `json:"images,omitempty"`
	// Members are all that follows the signature, in that order.
	Members []Member `json:"members"`
}

// Image is one image that apps need.
type Image struct {
	// Name is what Compose files and manifests call it.
	Name string `json:"name"`
	// Digest is what the name stands for: a manifest, or an index of some.
	Digest string `json:"digest"`
	// Blobs are the digests of all that it is made of, also of what was left out
	// because the other side has it.
	Blobs []string `json:"blobs"`
}

// Member is one file of a pack.
type Member struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// encode writes a manifest as it is signed.
func (m Manifest) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	data = append(data, '\n')
	if len(data) > maxManifest {
		return nil, fmt.Errorf("the manifest is longer than %d MiB", maxManifest>>20)
	}
	if _, err := parseManifest(data); err != nil {
		return nil, err
	}
	return data, nil
}

// parseManifest is the inverse. It refuses what this version does not know.
func parseManifest(data []byte) (Manifest, error) {
	var probe struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return Manifest{}, broken("its manifest is no JSON")
	}
	if probe.Version < oldest || probe.Version > version {
		return Manifest{}, fault.Hint(broken("its manifest has version %d, and this syncd reads %d", probe.Version, version), "unpack it with the syncd version that made it")
	}
	var m Manifest
	if err := strictly(data, &m); err != nil {
		return Manifest{}, broken("its manifest has something that this syncd does not know")
	}
	return m, m.check()
}

// strictly decodes one JSON value of known fields, and nothing behind it.
func strictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind it")
	}
	return nil
}

func (m Manifest) check() error {
	switch {
	case m.Made.IsZero():
		return broken("its manifest does not say when it was made")
	case !commit(m.To):
		return broken("its manifest names no revision")
	case len(m.Members) > maxMembers:
		return broken("it has more than %d members", maxMembers)
	case m.After != "" && !isDigest("sha256:"+m.After):
		return broken("its manifest names something else than a pack")
	}
	for _, hash := range slices.Concat(m.Since, m.Commits) {
		if !commit(hash) {
			return broken("its manifest names something else than commits")
		}
	}
	for _, image := range m.Images {
		if err := image.check(); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, member := range m.Members {
		if seen[member.Name] {
			return broken("the member %.100q stands in its manifest twice", member.Name)
		}
		seen[member.Name] = true
		if err := member.check(); err != nil {
			return err
		}
	}
	return nil
}

func (i Image) check() error {
	if i.Name == "" || len(i.Name) > 500 || strings.ContainsFunc(i.Name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return broken("its manifest has an image with the name %.100q", i.Name)
	}
	for _, digest := range append([]string{i.Digest}, i.Blobs...) {
		if !isDigest(digest) {
			return broken("its manifest has an image with the digest %.100q", digest)
		}
	}
	return nil
}

// check knows every name that a member may have, so that none can lead elsewhere.
func (m Member) check() error {
	if m.Size < 0 || m.Size > maxMember || len(m.SHA256) != hex.EncodedLen(sha256.Size) || !digits(m.SHA256) {
		return broken("its manifest gives the member %.100q no size or digest", m.Name)
	}
	switch m.Name {
	case BundleName, LayoutName + "/oci-layout", LayoutName + "/index.json":
		return nil
	}
	if blob, ok := strings.CutPrefix(m.Name, LayoutName+"/blobs/sha256/"); !ok || blob != m.SHA256 {
		return broken("its manifest has a member with the name %.100q", m.Name)
	}
	return nil
}

// isDigest tells whether text is one, such as sha256:….
func isDigest(text string) bool {
	out, ok := strings.CutPrefix(text, "sha256:")
	return ok && len(out) == hex.EncodedLen(sha256.Size) && digits(out)
}

func commit(hash string) bool { return len(hash) == 40 && digits(hash) }

// digits tells whether text is lower-case hexadecimal.
func digits(text string) bool { return strings.Trim(text, "0123456789abcdef") == "" }

// broken is the error for a pack that cannot be used whatever happens.
func broken(format string, args ...any) error {
	err := fault.As(fault.Rejected, fmt.Errorf(format, args...))
	return fault.Hint(err, "have it made, or copied, anew; nothing of it was used")
}

// Size is how long all members are together, in bytes.
func (m Manifest) Size() int64 {
	var sum int64
	for _, member := range m.Members {
		sum += member.Size
	}
	return sum
}

// has tells whether a member is in the pack.
func (m Manifest) has(name string) bool {
	for _, member := range m.Members {
		if member.Name == name {
			return true
		}
	}
	return false
}
