package fetch

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
)

// Bounds of what is taken over from a commit, in bytes.
const (
	maxCommit  = 1 << 20
	maxAuthor  = 120
	maxSubject = 200
)

var errCommit = errors.New("it is no commit object")

// parseCommit reads a commit object's bytes: the root tree, and who did what, in
// words that are safe to show.
func parseCommit(hash plumbing.Hash, raw []byte) (source.Revision, plumbing.Hash, error) {
	header, message, _ := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(header), "\n")
	root, ok := strings.CutPrefix(lines[0], "tree ")
	if !ok || !remote.ValidCommit(root) {
		return source.Revision{}, plumbing.ZeroHash, errCommit
	}
	r := source.Revision{Commit: hash.String(), Subject: subject(string(message))}
	for _, line := range lines[1:] {
		if who, ok := strings.CutPrefix(line, "author "); ok && r.Author == "" {
			r.Author, r.Email = author(who)
		}
		if who, ok := strings.CutPrefix(line, "committer "); ok && r.Time.IsZero() {
			r.Time = when(who)
		}
	}
	return r, plumbing.NewHash(root), nil
}

func subject(message string) string {
	message = strings.TrimLeft(message, "\n\r\t ")
	first, _, _ := strings.Cut(message, "\n")
	return resource.Harmless(first, maxSubject)
}

// author splits "NAME <EMAIL> SECONDS ZONE".
func author(who string) (name, email string) {
	name, rest, _ := strings.Cut(who, "<")
	email, _, _ = strings.Cut(rest, ">")
	return resource.Harmless(name, maxAuthor), resource.Harmless(email, maxAuthor)
}

// when reads the seconds behind the e-mail address, in UTC; the zero time where
// there are none that make sense.
func when(who string) time.Time {
	_, rest, _ := strings.Cut(who, ">")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<36 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
