package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"

	"syncd.io/syncd/internal/config"
)

// seal is how a forge signs: the hexadecimal HMAC-SHA256 of the body, in a header.
type seal struct {
	header string
	// prefix stands before it; where bare is true, it may be left out.
	prefix string
	bare   bool
}

const sha256Prefix = "sha256="

// seals are those of a provider, the first that is sent counts.
//
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
// https://docs.gitea.com/usage/webhooks
// https://forgejo.org/docs/latest/user/webhooks/
// https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/
func seals(h config.Hook) []seal {
	hub := seal{header: "X-Hub-Signature-256", prefix: sha256Prefix}
	gitea := seal{header: "X-Gitea-Signature", bare: true}
	switch h.Provider {
	case "github":
		return []seal{hub}
	case "gitea":
		return []seal{gitea, hub}
	case "forgejo":
		return []seal{{header: "X-Forgejo-Signature", bare: true}, gitea, hub}
	case "bitbucket":
		return []seal{{header: "X-Hub-Signature", prefix: sha256Prefix}}
	default:
		return []seal{{header: cmp.Or(h.Header, "X-Signature"), prefix: sha256Prefix, bare: true}}
	}
}

// proven tells whether whoever sent the body knows the secret. How long that takes
// does not depend on what is wrong with a signature.
func proven(h config.Hook, secret []byte, header http.Header, body []byte) bool {
	if len(secret) == 0 {
		return false
	}
	if h.Provider == "gitlab" {
		return provenToGitLab(secret, header, body)
	}
	for _, s := range seals(h) {
		if given, sent := single(header, s.header); sent {
			return s.holds(given, secret, body)
		}
	}
	return false
}

func (s seal) holds(given string, secret, body []byte) bool {
	rest, prefixed := strings.CutPrefix(given, s.prefix)
	if !prefixed && !s.bare {
		return false
	}
	sum, err := hex.DecodeString(rest)
	return err == nil && hmac.Equal(sum, signed(secret, body))
}

// signingToken begins GitLab's tokens for signing; what follows is the key.
const signingToken = "whsec_"

// provenToGitLab checks the secret token, which is sent as it is, or, where the
// secret is a signing token, a signature as Standard Webhooks describes it.
//
// https://docs.gitlab.com/user/project/integrations/webhooks/
// https://www.standardwebhooks.com
func provenToGitLab(secret []byte, header http.Header, body []byte) bool {
	encoded, signs := strings.CutPrefix(string(secret), signingToken)
	if !signs {
		token, sent := single(header, "X-Gitlab-Token")
		given, want := sha256.Sum256([]byte(token)), sha256.Sum256(secret) // of one length
		return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && sent
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return false
	}
	id, first := single(header, "Webhook-Id")
	at, second := single(header, "Webhook-Timestamp")
	list, third := single(header, "Webhook-Signature")
	if !first || !second || !third {
		return false
	}
	want := signed(key, []byte(id+"."+at+"."), body)
	holds := false
	for _, one := range strings.Fields(list) {
		version, text, _ := strings.Cut(one, ",")
		sum, err := base64.StdEncoding.DecodeString(text)
		holds = hmac.Equal(sum, want) && err == nil && version == "v1" || holds
	}
	return holds
}

// single is the value of a header that has exactly one.
func single(header http.Header, name string) (value string, sent bool) {
	values := header.Values(name)
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return "", true // which of them is meant, nobody knows: none holds
}

func signed(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}
