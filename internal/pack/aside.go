package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Whoever drops packs may put anything else into that directory, too, and the agent
// may do more than they: nothing here follows a link that they made.

// open opens a pack that was dropped, as info tells of it.
func open(root *os.Root, name string, info fs.FileInfo) (*os.File, error) {
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		return nil, broken("it is a link, and not the file itself")
	case !info.Mode().IsRegular():
		return nil, broken("it is no regular file")
	}
	return root.OpenFile(name, readable, 0)
}

// aside moves a file into a directory beside it; one that was moved there under the
// same name stays. Beside it there, the note is left.
func aside(root *os.Root, name, dir, suffix string, note []byte) error {
	if err := ownDir(root, dir); err != nil {
		return err
	}
	place, err := freeName(root, dir, name)
	if err != nil {
		return err
	}
	if err := root.Rename(name, place); err != nil {
		return err
	}
	return leave(root, place+suffix, note)
}

// ownDir makes a directory that is not there. A link to one is none.
func ownDir(root *os.Root, dir string) error {
	if err := root.Mkdir(dir, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := root.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", dir)
	}
	return err
}

// freeName is what the file can be called in the directory.
func freeName(root *os.Root, dir, name string) (string, error) {
	place := path.Join(dir, name)
	for n := 2; ; n++ {
		_, err := root.Lstat(place)
		if errors.Is(err, fs.ErrNotExist) {
			return place, nil
		}
		if err != nil {
			return "", err
		}
		place = path.Join(dir, fmt.Sprintf("%s.%d%s", strings.TrimSuffix(name, Suffix), n, Suffix))
	}
}

// leave writes a file that only its owner may read, whole or not at all, in place of
// whatever has its name.
func leave(root *os.Root, name string, content []byte) error {
	fresh := name + ".new"
	if err := root.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, root.Remove(fresh))
	}
	if err := root.Rename(fresh, name); err != nil {
		return errors.Join(err, root.Remove(fresh))
	}
	return nil
}
