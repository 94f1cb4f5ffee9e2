package verify

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// The kinds of objects that can be signed.
const (
	Commit = "commit"
	Tag    = "tag"
)

// Object is a commit or an annotated tag, taken apart.
type Object struct {
	// Kind is Commit or Tag, Hash the object's name.
	Kind, Hash string
	// Tree and Parents are a commit's.
	Tree    string
	Parents []string
	// Target and TargetKind are what a tag stands for, Name is what it calls itself.
	Target, TargetKind, Name string
	// Time is the committer's or the tagger's.
	Time time.Time
	// payload is what was signed, signature the armour; nil where nothing is.
	payload, signature []byte
	// namespace is that of an SSH signature; empty is git's.
	namespace string
}

// String is the object in an error.
func (o Object) String() string {
	if o.Kind == Tag {
		return fmt.Sprintf("tag %s (%.10s)", resource.Harmless(o.Name, 60), o.Hash)
	}
	return fmt.Sprintf("commit %.10s", o.Hash)
}

// Signed tells whether there is a signature, of whatever worth.
func (o Object) Signed() bool { return len(o.signature) > 0 }

// ParseCommit takes a commit apart. The bytes have to be those that the name stands
// for, and as git writes them: what two readers could read in two ways is refused.
// The error is Rejected, or Unreachable where the bytes are others.
func ParseCommit(hash string, raw []byte) (Object, error) {
	o, err := parse(Commit, hash, raw)
	if err == nil {
		err = o.readCommit(raw)
	}
	return o, o.blame(err)
}

// ParseTag takes an annotated tag apart, in the same way.
func ParseTag(hash string, raw []byte) (Object, error) {
	o, err := parse(Tag, hash, raw)
	if err == nil {
		err = o.readTag(raw)
	}
	return o, o.blame(err)
}

func (o Object) blame(err error) error {
	if err == nil || fault.Of(err) != fault.Unknown {
		return err
	}
	err = fault.As(fault.Rejected, fmt.Errorf("%s %.10s: %w", o.Kind, o.Hash, err))
	return fault.Hint(err, "git itself never writes such an object; find out who made it")
}

func parse(kind, hash string, raw []byte) (Object, error) {
	o := Object{Kind: kind, Hash: hash}
	typed := plumbing.CommitObject
	if kind == Tag {
		typed = plumbing.TagObject
	}
	if plumbing.ComputeHash(typed, raw).String() != hash {
		return o, fault.As(fault.Unreachable, fmt.Errorf("%s %.10s: its bytes do not fit its name", kind, hash))
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return o, errors.New("it has a NUL in it")
	}
	return o, nil
}

// isHash tells whether text is a full object name.
func isHash(text string) bool {
	return len(text) == 40 && strings.Trim(text, "0123456789abcdef") == ""
}

// timeOf reads the time of "NAME <EMAIL> SECONDS ZONE".
func timeOf(who string) (time.Time, error) {
	_, rest, _ := cutLast(who, "> ")
	text, zone, _ := strings.Cut(rest, " ")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<36 || zone == "" {
		return time.Time{}, fmt.Errorf("the line %.80q has no time", who)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
