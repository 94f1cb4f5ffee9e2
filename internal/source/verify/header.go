package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// field is one header of an object: its lines joined, without the indent of those
// that continue it. from and to are where it stands in the raw bytes.
type field struct {
	name, value string
	from, to    int
}

// fields splits the headers of an object: all up to the first empty line. One that git
// writes at most once is refused where it stands twice.
func fields(raw []byte) ([]field, error) {
	end := bytes.Index(raw, []byte("\n\n"))
	if end < 0 {
		return nil, errors.New("no empty line ends its headers")
	}
	var out []field
	for at := 0; at <= end; {
		next := at + bytes.IndexByte(raw[at:], '\n') + 1
		line := string(raw[at : next-1])
		if more, ok := strings.CutPrefix(line, " "); ok {
			if len(out) == 0 {
				return nil, errors.New("its first line continues another")
			}
			last := &out[len(out)-1]
			last.value, last.to = last.value+"\n"+more, next
		} else {
			name, value, ok := strings.Cut(line, " ")
			if !ok || name == "" {
				return nil, fmt.Errorf("%.40q is no header", line)
			}
			out = append(out, field{name, value, at, next})
		}
		at = next
	}
	return out, once(out)
}

// once refuses headers that git writes at most once, written twice: the one reader
// would take the first, and the other the last.
func once(all []field) error {
	single := []string{"tree", "author", "committer", "encoding", "gpgsig", "object", "type", "tag", "tagger"}
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.name] && slices.Contains(single, f.name) {
			return fmt.Errorf("it has two headers %q", f.name)
		}
		seen[f.name] = true
	}
	return nil
}

// take returns the value of the first field, which must have the name and be of one
// line, and the rest.
func take(all []field, name string) (string, []field, error) {
	if len(all) == 0 || all[0].name != name || strings.Contains(all[0].value, "\n") {
		return "", nil, fmt.Errorf("its header %q is not where it belongs", name)
	}
	return all[0].value, all[1:], nil
}

func (o *Object) readCommit(raw []byte) error {
	all, err := fields(raw)
	if err != nil {
		return err
	}
	rest := all
	if o.Tree, rest, err = take(rest, "tree"); err != nil {
		return err
	}
	for len(rest) > 0 && rest[0].name == "parent" {
		var parent string
		if parent, rest, err = take(rest, "parent"); err != nil {
			return err
		}
		o.Parents = append(o.Parents, parent)
	}
	if i := slices.IndexFunc(append(slices.Clone(o.Parents), o.Tree), func(h string) bool { return !isHash(h) }); i >= 0 {
		return errors.New("its tree or a parent is no object name")
	}
	if _, rest, err = take(rest, "author"); err != nil {
		return err
	}
	var committer string
	if committer, rest, err = take(rest, "committer"); err != nil {
		return err
	}
	if o.Time, err = timeOf(committer); err != nil {
		return err
	}
	return o.takeSignature(raw, rest)
}

// takeSignature parts the signature from what it is about: all else.
func (o *Object) takeSignature(raw []byte, rest []field) error {
	o.payload = raw
	for _, f := range rest {
		switch {
		case f.name == "parent":
			return errors.New(`its header "parent" is not where it belongs`)
		case f.name == "gpgsig":
			o.signature = []byte(f.value)
			o.payload = slices.Concat(raw[:f.from], raw[f.to:])
		case strings.HasPrefix(f.name, "gpgsig"): // no signature covers it
			return fmt.Errorf("it has a header %.40q, which belongs to repositories with other object names", f.name)
		}
	}
	return nil
}

func (o *Object) readTag(raw []byte) error {
	all, err := fields(raw)
	if err != nil {
		return err
	}
	rest := all
	for _, h := range []struct {
		name string
		into *string
	}{{"object", &o.Target}, {"type", &o.TargetKind}, {"tag", &o.Name}} {
		if *h.into, rest, err = take(rest, h.name); err != nil {
			return err
		}
	}
	if !isHash(o.Target) {
		return errors.New("what it stands for is no object name")
	}
	var tagger string
	if tagger, rest, err = take(rest, "tagger"); err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("it has a header %.40q that does not belong there", rest[0].name)
	}
	if o.Time, err = timeOf(tagger); err != nil {
		return err
	}
	o.payload = raw
	return o.takeTrailer(raw)
}

// takeTrailer parts a tag's signature, which ends its text, from the rest.
func (o *Object) takeTrailer(raw []byte) error {
	for at := 0; at < len(raw); {
		end := len(raw)
		if i := bytes.IndexByte(raw[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if begins(string(raw[at:end])) {
			if o.signature != nil {
				return errors.New("it has two signatures")
			}
			o.payload, o.signature = raw[:at], raw[at:]
		}
		at = end
	}
	return nil
}
