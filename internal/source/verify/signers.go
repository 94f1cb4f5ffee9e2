package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Signers are an allowed_signers file, as ALLOWED SIGNERS of ssh-keygen(1) says.
type Signers struct {
	file  string
	lines []line
}

// line is one key, and what it may sign when.
type line struct {
	number int
	// principals is the list as it stands there, patterns its items.
	principals string
	patterns   []string
	// authority tells that the key certifies others and signs nothing itself.
	authority bool
	// namespaces are patterns; none is any.
	namespaces    []string
	after, before time.Time
	key           []byte
}

// ParseSigners reads a file; its name is for errors. Times without a zone are those
// of this host, as ssh-keygen takes them. What ssh-keygen would pass over is an
// error: Blocked, with file and line.
func ParseSigners(file string, data []byte) (*Signers, error) {
	s := &Signers{file: file}
	for number, text := range said(data) {
		l, err := parseSigner(text)
		if err != nil {
			return nil, badLine(file, number, err, `a line is: PRINCIPALS [OPTIONS] KEYTYPE KEY, such as: ann@example.com namespaces="git" ssh-ed25519 AAAA…; see ALLOWED SIGNERS in ssh-keygen(1)`)
		}
		l.number = number
		s.lines = append(s.lines, l)
	}
	if len(s.lines) == 0 {
		return nil, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s lists no key", file)), "add a line for each person who may sign: NAME KEYTYPE KEY")
	}
	return s, nil
}

// said are the lines of a file of keys by their numbers, from 1 on, without those that
// are empty or comments.
func said(data []byte) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number := 0
		for text := range strings.Lines(string(data)) {
			number++
			text = strings.TrimSpace(text)
			if text != "" && text[0] != '#' && !yield(number, text) {
				return
			}
		}
	}
}

func badLine(file string, number int, err error, hint string) error {
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s:%d: %w", file, number, err)), hint)
}

func parseSigner(text string) (line, error) {
	var l line
	principals, rest, err := word(text)
	if err != nil {
		return l, err
	}
	l.principals, l.patterns = principals, strings.Split(principals, ",")
	if slices.Contains(l.patterns, "") {
		return l, fmt.Errorf("the principals %.80q have an empty one", principals)
	}
	first, _, _ := strings.Cut(rest, " ")
	if !keyType(first) {
		var options string
		if options, rest, err = unquoted(rest); err != nil {
			return l, err
		}
		if err := l.read(options); err != nil {
			return l, err
		}
	}
	l.key, err = publicKey(rest)
	return l, err
}

// word takes the first word of a line; quotes may stand around it.
func word(text string) (first, rest string, err error) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		first, rest, ok = strings.Cut(quoted, `"`)
		if !ok || rest != "" && !blank(rest[0]) {
			return "", "", errors.New("a quote is not closed")
		}
	} else if i := strings.IndexAny(text, " \t"); i >= 0 {
		first, rest = text[:i], text[i:]
	} else {
		first = text
	}
	return first, strings.ReplaceAll(strings.TrimLeft(rest, " \t"), "\t", " "), nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// keyType tells whether a word is the type of a key, and no option.
func keyType(word string) bool {
	for _, begin := range []string{"ssh-", "ecdsa-", "sk-", "webauthn-"} {
		if strings.HasPrefix(word, begin) {
			return true
		}
	}
	return false
}

// publicKey reads "KEYTYPE BASE64 [COMMENT]" and returns the key's bytes.
func publicKey(text string) ([]byte, error) {
	parts := strings.Fields(text)
	if len(parts) < 2 || !keyType(parts[0]) {
		return nil, errors.New("there is no public key in it")
	}
	if strings.Contains(parts[0], "-cert-v01@") {
		return nil, errors.New("it has a certificate where a key belongs; list the authority's key with the option cert-authority")
	}
	blob, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("the key of type %.40s is not whole", parts[0])
	}
	kind, _, ok := cutString(blob)
	if !ok || !bytes.Equal(kind, []byte(parts[0])) {
		return nil, fmt.Errorf("the key is not of type %.40s", parts[0])
	}
	return blob, nil
}

// cutString takes a string off the bytes of OpenSSH's wire format.
func cutString(data []byte) (value, rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, nil, false
	}
	size := binary.BigEndian.Uint32(data)
	if uint64(size) > uint64(len(data)-4) {
		return nil, nil, false
	}
	return data[4 : 4+size], data[4+size:], true
}
