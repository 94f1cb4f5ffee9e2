package pack

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/durable"
)

// Sign returns a signature over a manifest's bytes; nil leaves a pack unsigned.
type Sign func(manifest []byte) (signature []byte, err error)

// Write writes a pack to the file out: m with the files below dir as its members, in
// name order. It is there whole or not at all. The manifest that it returns lists the
// members.
func Write(ctx context.Context, out string, m Manifest, dir string, sign Sign) (Manifest, error) {
	m.Version = version
	var err error
	if m.Members, err = membersOf(ctx, dir); err != nil {
		return m, fmt.Errorf("gather the pack's members: %w", err)
	}
	manifest, err := m.encode()
	if err != nil {
		return m, err
	}
	var signature []byte
	if sign != nil {
		if signature, err = sign(manifest); err != nil {
			return m, fmt.Errorf("sign the pack: %w", err)
		}
	}
	if err := write(ctx, out, m, manifest, signature, dir); err != nil {
		return m, fmt.Errorf("write the pack: %w", err)
	}
	return m, nil
}

// membersOf lists the files below dir, with their digests.
func membersOf(ctx context.Context, dir string) ([]Member, error) {
	var out []Member
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m, err := memberOf(path, filepath.ToSlash(name))
		out = append(out, m)
		return err
	})
	slices.SortFunc(out, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

func memberOf(path, name string) (Member, error) {
	f, err := os.Open(path)
	if err != nil {
		return Member{}, err
	}
	defer f.Close()
	digest := sha256.New()
	size, err := io.Copy(digest, f)
	return Member{Name: name, Size: size, SHA256: hex.EncodeToString(digest.Sum(nil))}, err
}

// write has the file on disk under its name once it is whole.
func write(ctx context.Context, out string, m Manifest, manifest, signature []byte, dir string) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	err = archive(ctx, temp, m, manifest, signature, dir)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), out); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(out))
}

func archive(ctx context.Context, to io.Writer, m Manifest, manifest, signature []byte, dir string) error {
	w := tar.NewWriter(to)
	if err := short(w, manifestName, manifest); err != nil {
		return err
	}
	if signature != nil {
		if err := short(w, signatureName, signature); err != nil {
			return err
		}
	}
	for _, member := range m.Members {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := long(w, member, filepath.Join(dir, filepath.FromSlash(member.Name))); err != nil {
			return err
		}
	}
	return w.Close()
}

// header is that of a plain file, the same at each time.
func header(name string, size int64) *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if size >= 8<<30 { // what USTAR has digits for
		h.Format = tar.FormatGNU
	}
	return h
}

func short(w *tar.Writer, name string, content []byte) error {
	if err := w.WriteHeader(header(name, int64(len(content)))); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

func long(w *tar.Writer, m Member, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := w.WriteHeader(header(m.Name, m.Size)); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
