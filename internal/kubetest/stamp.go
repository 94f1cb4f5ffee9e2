package kubetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// refreshImages gives the node the images of this working directory, where it
// has others.
func (a *Access) refreshImages(ctx context.Context) error {
	now, err := sources(ctx)
	if err != nil {
		return err
	}
	if has, err := os.ReadFile(a.stamp()); err == nil && string(has) == now {
		return nil
	}
	if err := a.loadOwnImages(ctx); err != nil {
		return err
	}
	return a.stampImages(ctx)
}

// stamp is the file that says which images the node has.
func (a *Access) stamp() string { return filepath.Join(a.dir, "images.stamp") }

// stampImages remembers what the node's images were built from.
func (a *Access) stampImages(ctx context.Context) error {
	now, err := sources(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.stamp(), []byte(now), 0o644); err != nil {
		return fmt.Errorf("remember the images: %w", err)
	}
	return nil
}

// sources returns a hash of what the node's images are built from.
func sources(ctx context.Context) (string, error) {
	root, err := project(ctx)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(root, "internal", "kubetest", "testapp", "*.go"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(errors.New("the test program's sources are not here; is this the project's directory?"), err)
	}
	hash := sha256.New()
	for _, file := range append(files, filepath.Join(root, "internal", "kubetest", "image.go")) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the test program: %w", err)
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
