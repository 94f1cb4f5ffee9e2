package resource

import (
	"net/url"
	"slices"
	"strings"
)

// Mask is what is shown in place of a secret value.
const Mask = "(secret)"

// ShortestSecret is the length, in bytes, below which a value is too common a text
// to be looked for in others.
const ShortestSecret = 4

// SecretName tells whether a field or variable of this name is taken to hold a
// secret, so that its value is never shown. Case, "_", "-" and "." in the name
// make no difference. It errs on the side of masking.
func SecretName(name string) bool {
	upper := strings.ToUpper(name)
	if strings.HasSuffix(upper, "_PWD") || strings.HasSuffix(upper, "_KEY") && !strings.HasSuffix(upper, "PUBLIC_KEY") {
		return true
	}
	plain := strings.Map(dropPunctuation, upper)
	return slices.ContainsFunc(secretWords(), func(word string) bool { return strings.Contains(plain, word) })
}

func dropPunctuation(r rune) rune {
	if r == '_' || r == '-' || r == '.' {
		return -1
	}
	return r
}

func secretWords() []string {
	return []string{
		"PASS", "SECRET", "TOKEN", "CREDENTIAL", "AUTH", "DSN", "COOKIE",
		"APIKEY", "ACCESSKEY", "PRIVATEKEY", "ENCRYPTIONKEY", "SIGNINGKEY",
	}
}

// SecretValue tells whether a value carries credentials whatever its field is
// called: a URL with a password or a token in it, a private key, or a command
// line with a setting such as --password=x in it.
func SecretValue(value string) bool {
	if strings.Contains(value, "-----BEGIN ") && strings.Contains(value, "PRIVATE KEY") || secretURL(value) {
		return true
	}
	words := strings.Fields(value)
	return len(words) > 0 && slices.ContainsFunc(words, func(w string) bool { return secretURL(w) || secretSetting(w) })
}

// tokenLength is from where on a URL's user is taken for a token.
const tokenLength = 20

// secretURL masks what looks like a URL with a user but cannot be read, too.
func secretURL(value string) bool {
	if !strings.Contains(value, "://") || !strings.Contains(value, "@") {
		return false
	}
	u, err := url.Parse(value)
	if err != nil {
		return true
	}
	_, password := u.User.Password()
	return password || len(u.User.Username()) >= tokenLength
}

// SecretFlag tells whether a word only names a secret, which is then what follows
// it, as the next word or the next item of a list: --password, "Authorization:".
func SecretFlag(word string) bool {
	names := strings.HasPrefix(word, "-") || strings.HasSuffix(word, ":")
	return names && !strings.ContainsAny(word, "= \t\r\n") && SecretName(word)
}

// secretSetting sees NAME=value, --name, --name=value and "Name:" where the name
// is that of a secret.
func secretSetting(word string) bool {
	name, value, set := strings.Cut(word, "=")
	return set && value != "" && SecretName(name) || SecretFlag(word)
}
