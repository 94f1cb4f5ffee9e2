package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"syncd.io/syncd/internal/fault"
)

// LocalRef looks for w in the repository at path, in place and without a
// process. The error is Rejected where it is not there.
func LocalRef(path string, w Want) (Found, error) {
	store, err := OpenLocal(path, false)
	if err != nil {
		return Found{}, err
	}
	if w.Commit != "" {
		return Found{Commit: w.Commit}, nil
	}
	names := w.Refs
	if w.Semver != "" {
		return localRelease(store, w)
	}
	if len(names) == 0 {
		names = []string{"HEAD"}
	}
	for _, name := range names {
		found, err := readRef(store, name)
		if !errors.Is(err, plumbing.ErrReferenceNotFound) {
			return found, err
		}
	}
	return Found{}, localAbsent(store, w)
}

// readRef follows symbolic refs as far as Git does, and peels tags.
func readRef(store *filesystem.Storage, name string) (Found, error) {
	for range 5 {
		if err := loose(store, name); err != nil {
			return Found{}, mendRef(name, fault.As(fault.Unreachable, fmt.Errorf("read ref %.100q: %w", name, err)))
		}
		ref, err := store.Reference(plumbing.ReferenceName(name))
		if err != nil {
			return Found{}, unreadable(name, err)
		}
		if ref.Type() == plumbing.HashReference {
			hash, err := peel(store, name, ref.Hash())
			return Found{Commit: hash.String(), Ref: name}, err
		}
		name = string(ref.Target())
		if refName(name) != nil {
			break
		}
	}
	return Found{}, fault.As(fault.Rejected, fmt.Errorf("ref %.100q of the repository leads nowhere", name))
}

// loose refuses a damaged ref file (a crash leaves empty ones): go-git would pass
// over it and take an older commit from packed-refs, silently backwards.
func loose(store *filesystem.Storage, name string) error {
	info, err := store.Filesystem().Stat(name)
	if err != nil || info.IsDir() {
		return nil //nolint:nilerr // none there: packed-refs may have it, or nobody
	}
	f, err := store.Filesystem().Open(name)
	if errors.Is(err, fs.ErrNotExist) { // packed in this moment
		return nil
	}
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	text := strings.TrimSpace(string(data))
	if !ValidCommit(text) && !strings.HasPrefix(text, "ref: ") {
		return errors.New("the ref file is damaged")
	}
	return nil
}

// unreadable keeps "not found" as it is; anything else may be a repository that
// is being written right now.
func unreadable(name string, err error) error {
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return err
	}
	return mendRef(name, fault.As(fault.Unreachable, fmt.Errorf("read ref %.100q: %w", name, err)))
}

// mendRef says what to do about a ref that stays unreadable.
func mendRef(name string, err error) error {
	if name == "HEAD" {
		return fault.Hint(err, "if this stays, point it at a branch again: git symbolic-ref HEAD refs/heads/main; what runs goes on running")
	}
	return fault.Hint(err, "if this stays, look at the repository with git fsck, and push or fetch the branch again; what runs goes on running")
}

// peel follows annotated tags to what they name. A branch is never a tag object,
// so that its commit need not be opened.
func peel(store *filesystem.Storage, name string, hash plumbing.Hash) (plumbing.Hash, error) {
	if strings.HasPrefix(name, heads) {
		return hash, nil
	}
	for range 10 {
		obj, err := store.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return hash, mendRef(name, fault.As(fault.Unreachable, fmt.Errorf("read what ref %.100q names: %w", name, err)))
		}
		if obj.Type() != plumbing.TagObject {
			return hash, nil
		}
		next, err := tagged(obj)
		if err != nil {
			return hash, fault.As(fault.Rejected, fmt.Errorf("read tag %.100q: %w", name, err))
		}
		hash = next
	}
	return hash, fault.As(fault.Rejected, fmt.Errorf("ref %.100q is a tag of a tag of a tag without end", name))
}

// tagged reads the first line of a tag object: "object HASH".
func tagged(obj plumbing.EncodedObject) (plumbing.Hash, error) {
	r, err := obj.Reader()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer r.Close()
	line := make([]byte, len("object ")+40)
	if _, err := io.ReadFull(r, line); err != nil {
		return plumbing.ZeroHash, err
	}
	hash, ok := bytes.CutPrefix(line, []byte("object "))
	if !ok || !ValidCommit(string(hash)) {
		return plumbing.ZeroHash, errors.New("it names no object")
	}
	return plumbing.NewHash(string(hash)), nil
}

// localRelease finds the highest tag in the range.
func localRelease(store *filesystem.Storage, w Want) (Found, error) {
	names, err := localNames(store)
	if err != nil {
		return Found{}, err
	}
	if len(names) == 0 {
		return Found{}, ErrEmpty()
	}
	name, ok := highest(w.Semver, names)
	if !ok {
		return Found{}, noVersion(w, names)
	}
	return readRef(store, name)
}

func localAbsent(store *filesystem.Storage, w Want) error {
	names, err := localNames(store)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return ErrEmpty()
	}
	return absent(w, names)
}

// localNames are the full names of all refs.
func localNames(store *filesystem.Storage) ([]string, error) {
	refs, err := store.IterReferences()
	if err != nil {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("list refs: %w", err))
	}
	defer refs.Close()
	var names []string
	err = refs.ForEach(func(r *plumbing.Reference) error {
		if r.Type() == plumbing.HashReference {
			names = append(names, string(r.Name()))
		}
		return nil
	})
	if err != nil {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("list refs: %w", err))
	}
	return names, nil
}
