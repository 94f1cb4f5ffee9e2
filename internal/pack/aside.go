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

// errReplaced: another file, or none, is under the name of the one that was looked at.
var errReplaced = errors.New("it is not the file any more that was looked at")

// dropped is a file in a directory for packs.
type dropped struct {
	root *os.Root
	name string
	// info is of the file that was looked at.
	info fs.FileInfo
}

// open opens it, and notes what was opened.
func (f *dropped) open() (*os.File, error) {
	switch {
	case f.info.Mode().Type() == fs.ModeSymlink:
		return nil, broken("it is a link, and not the file itself")
	case !f.info.Mode().IsRegular():
		return nil, broken("it is no regular file")
	}
	file, err := f.root.OpenFile(f.name, readable, 0)
	if err != nil {
		return nil, err
	}
	if f.info, err = file.Stat(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// still sees whether the file is there as it was looked at.
func (f *dropped) still() error {
	now, err := f.root.Lstat(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errReplaced
	case err != nil:
		return err
	case !os.SameFile(now, f.info) || stampOf(now) != stampOf(f.info):
		return errReplaced
	}
	return nil
}

// aside moves the file into a directory beside it; one that was moved there under the
// same name stays. The note beside it there comes first, so that no file is there
// without one. errReplaced is in the chain where the file was left alone.
func (f *dropped) aside(dir, suffix string, note []byte) error {
	if err := f.still(); err != nil {
		return err
	}
	if err := ownDir(f.root, dir); err != nil {
		return err
	}
	place, err := freeName(f.root, dir, f.name)
	if err != nil {
		return err
	}
	if err := leave(f.root, place+suffix, note); err != nil {
		return err
	}
	if err := f.still(); err != nil {
		return err
	}
	return f.root.Rename(f.name, place)
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
