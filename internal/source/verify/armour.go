package verify

import (
	"errors"
	"strings"
)

var errUnsigned = errors.New("is not signed")

const (
	sshBegin = "-----BEGIN SSH SIGNATURE-----"
	sshEnd   = "-----END SSH SIGNATURE-----"
	pgpBegin = "-----BEGIN PGP SIGNATURE-----"
	pgpEnd   = "-----END PGP SIGNATURE-----"
)

// begins tells whether a line begins what git takes for a signature.
func begins(line string) bool {
	for _, begin := range []string{sshBegin, pgpBegin, "-----BEGIN PGP MESSAGE-----", "-----BEGIN SIGNED MESSAGE-----"} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// kindOf says what an armour holds. It has to be one whole armour and nothing
// besides: decoders skip what stands around it, each in its own way.
func kindOf(armour string) (string, error) {
	text := strings.TrimSuffix(armour, "\n")
	kind, end := SSH, sshEnd
	switch {
	case strings.HasPrefix(text, sshBegin+"\n"):
	case strings.HasPrefix(text, pgpBegin+"\n"):
		kind, end = OpenPGP, pgpEnd
	case strings.HasPrefix(text, "-----BEGIN SIGNED MESSAGE-----"):
		return "", errors.New("has an X.509 signature, and only SSH and OpenPGP are known")
	default:
		return "", errors.New("has something that is no signature where its signature belongs")
	}
	switch {
	case strings.Count(text, "-----BEGIN ") > 1:
		return "", errors.New("has two signatures")
	case !strings.HasSuffix(text, "\n"+end), strings.Count(text, "-----END ") != 1:
		return "", errors.New("has a signature that is cut off or followed by something else")
	}
	return kind, nil
}
