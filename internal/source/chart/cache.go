package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/config"
)

// OCI is how an address in a registry begins.
const OCI = "oci://"

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// layerType is the media type of a packed chart in a registry.
const layerType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// cachedFiles are those of a chart, the packed chart first; false where one is not
// there, or is not what its digest says. All files are named by their content.
func cachedFiles(dir string, want config.Chart) ([]string, bool) {
	if !strings.HasPrefix(want.Repo, OCI) {
		file := ArchivePath(dir, want.Digest)
		return []string{file}, holds(file, want.Digest, MaxArchive)
	}
	list := ManifestPath(dir, want.Digest)
	if !holds(list, want.Digest, maxManifest) {
		return nil, false
	}
	manifest, err := os.ReadFile(list)
	if err != nil {
		return nil, false
	}
	digest, err := LayerOf(manifest)
	if err != nil {
		return nil, false
	}
	file := ArchivePath(dir, digest)
	return []string{file, list}, holds(file, digest, MaxArchive)
}

// ArchivePath is where the packed chart of that digest is.
func ArchivePath(dir, digest string) string { return filepath.Join(dir, digits(digest)+".tgz") }

// ManifestPath is where the manifest of that digest is.
func ManifestPath(dir, digest string) string { return filepath.Join(dir, digits(digest)+".json") }

func digits(digest string) string {
	return filepath.Base(strings.TrimPrefix(digest, "sha256:"))
}

// Digest is that of some bytes, as pins write it.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// holds tells whether a file has the content that the digest names.
func holds(path, digest string, limit int64) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(file, limit+1))
	return err == nil && n <= limit && "sha256:"+hex.EncodeToString(h.Sum(nil)) == digest
}

// LayerOf is the digest of the packed chart that a manifest names.
func LayerOf(manifest []byte) (string, error) {
	var m struct {
		Layers []struct {
			MediaType string `json:"mediaType"`
			Digest    string `json:"digest"`
		} `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return "", fmt.Errorf("read the manifest: %w", err)
	}
	for _, layer := range m.Layers {
		if layer.MediaType == layerType {
			if !whole(layer.Digest) {
				return "", fmt.Errorf("the manifest names the chart by %.80q, which is no SHA-256", layer.Digest)
			}
			return layer.Digest, nil
		}
	}
	return "", errors.New("the manifest names no chart: something else was pushed there")
}

// whole tells whether a digest is one, in the form that files are named by.
func whole(digest string) bool {
	hexed, ok := strings.CutPrefix(digest, "sha256:")
	sum, err := hex.DecodeString(hexed)
	return ok && err == nil && len(sum) == sha256.Size && strings.ToLower(hexed) == hexed
}
