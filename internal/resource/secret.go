package resource

import (
	"net/url"
	"strings"
)

// Mask is what is shown in place of a secret value.
const Mask = "(secret)"

// SecretName tells whether a field or variable of this name is taken to hold a
// secret, so that its value is never shown. It errs on the side of masking.
func SecretName(name string) bool {
	upper := strings.ToUpper(name)
	for _, word := range []string{"PASSW", "SECRET", "TOKEN", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL", "AUTH", "_PWD", "PASSPHRASE", "ENCRYPTION_KEY", "SIGNING_KEY"} {
		if strings.Contains(upper, word) {
			return true
		}
	}
	return false
}

// SecretValue tells whether a value carries credentials whatever its field is
// called: a URL with a password in it.
func SecretValue(value string) bool {
	if !strings.Contains(value, "://") || !strings.Contains(value, "@") {
		return false
	}
	u, err := url.Parse(value)
	if err != nil {
		return true
	}
	_, has := u.User.Password()
	return has
}
