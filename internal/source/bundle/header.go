// Package bundle reads and writes the header of Git bundles: which refs a bundle
// brings, and which commits it builds on. What follows the header is a pack. Its
// form is that of gitformat-bundle(5).
package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"syncd.io/syncd/internal/source/remote"
)

// Bounds of a header: no honest bundle comes near.
const (
	maxLine  = 4 << 10
	maxLines = 1 << 18
)

// ErrShort is in the chain of an error about a file that ends too early: it may be
// in the midst of being copied.
var ErrShort = errors.New("the file ends too early")

// Header is what a bundle says of itself.
type Header struct {
	// Version is 2 or 3.
	Version int
	// Prerequisites are the commits that the reader must have.
	Prerequisites []string
	// Refs are what the bundle brings, in its own order; each name stands once.
	Refs []Ref
	// Size is the length of the header: the pack begins there.
	Size int64
}

// Ref is a name and the object that it names: a commit or a tag.
type Ref struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
}

// Read reads a header and no further than a buffer behind it. An error has ErrShort
// in its chain where more bytes may help; it quotes nothing of the file.
func Read(r io.Reader) (Header, error) {
	p := &parser{in: bufio.NewReaderSize(r, maxLine), seen: map[string]bool{}}
	if err := p.signature(); err != nil {
		return Header{}, err
	}
	for range maxLines {
		line, err := p.line()
		if err != nil {
			return Header{}, err
		}
		if line == "" {
			return p.end()
		}
		if err := p.take(line); err != nil {
			return Header{}, err
		}
	}
	return Header{}, fmt.Errorf("the header has more than %d lines", maxLines)
}

type parser struct {
	in   *bufio.Reader
	h    Header
	seen map[string]bool // names of refs
}

// line reads one line without its end.
func (p *parser) line() (string, error) {
	raw, err := p.in.ReadSlice('\n')
	p.h.Size += int64(len(raw))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("a line of the header is longer than %d bytes", maxLine)
	case errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the header: %w", ErrShort)
	case err != nil:
		return "", fmt.Errorf("read the header: %w", err)
	}
	return string(raw[:len(raw)-1]), nil
}

func (p *parser) signature() error {
	const form = "# v_ git bundle\n"
	raw, err := p.in.Peek(len(form))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the header: %w", err)
	}
	for _, version := range []int{2, 3} {
		want := strings.Replace(form, "_", fmt.Sprint(version), 1)
		if len(raw) < len(want) && strings.HasPrefix(want, string(raw)) {
			return fmt.Errorf("read the header: %w", ErrShort)
		}
		if string(raw) == want {
			p.h.Version = version
			_, err := p.line()
			return err
		}
	}
	return errors.New("it is no Git bundle of version 2 or 3")
}

// take reads one line that is not the last.
func (p *parser) take(line string) error {
	switch line[0] {
	case '@':
		return p.capability(line[1:])
	case '-':
		return p.prerequisite(line[1:])
	}
	return p.ref(line)
}

// capability refuses what would change the meaning of the rest, as Git does.
func (p *parser) capability(text string) error {
	key, value, _ := strings.Cut(text, "=")
	switch {
	case p.h.Version < 3 || len(p.h.Refs)+len(p.h.Prerequisites) > 0:
		return errors.New("a capability stands where none may be")
	case key == "object-format" && value == "sha1":
		return nil
	case key == "object-format":
		return errors.New("it uses SHA-256 object names, which are not supported")
	case key == "filter":
		return errors.New("it was made with --filter, and lacks objects")
	}
	return errors.New("it needs a capability that is not supported")
}

// prerequisite reads a commit and a comment, which is the commit's subject.
func (p *parser) prerequisite(text string) error {
	hash, _, _ := strings.Cut(text, " ")
	if !remote.ValidCommit(hash) || len(p.h.Refs) > 0 {
		return errors.New("a prerequisite in the header is no commit, or stands behind the refs")
	}
	p.h.Prerequisites = append(p.h.Prerequisites, hash)
	return nil
}

func (p *parser) ref(line string) error {
	hash, name, ok := strings.Cut(line, " ")
	switch {
	case !ok || !remote.ValidCommit(hash):
		return errors.New("a line of the header is neither a prerequisite nor a ref")
	case name != "HEAD" && !remote.ValidRef(name):
		return errors.New("a ref in the header has a name that Git does not allow")
	case p.seen[name]:
		return errors.New("a ref stands in the header twice")
	}
	p.seen[name] = true
	p.h.Refs = append(p.h.Refs, Ref{name, hash})
	return nil
}

func (p *parser) end() (Header, error) {
	if len(p.h.Refs) == 0 {
		return Header{}, errors.New("the header names no ref")
	}
	return p.h, nil
}

// Write writes h as a header of version 2. What Read would refuse is an error.
func Write(w io.Writer, h Header) error {
	var text strings.Builder
	text.WriteString("# v2 git bundle\n")
	for _, hash := range h.Prerequisites {
		text.WriteString("-" + hash + " \n")
	}
	for _, ref := range h.Refs {
		text.WriteString(ref.Hash + " " + ref.Name + "\n")
	}
	text.WriteString("\n")
	again, err := Read(strings.NewReader(text.String()))
	if err == nil && (!slices.Equal(again.Refs, h.Refs) || !slices.Equal(again.Prerequisites, h.Prerequisites)) {
		err = errors.New("a name in it has a line end")
	}
	if err != nil {
		return fmt.Errorf("write the header of a bundle: %w", err)
	}
	_, err = io.WriteString(w, text.String())
	return err
}
