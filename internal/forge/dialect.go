package forge

import (
	"net/url"
	"unicode/utf8"

	"syncd.io/syncd/internal/config"
)

// call is a request of a forge's API: a POST of body, as JSON.
type call struct {
	url    string
	body   map[string]any
	header map[string]string
}

// dialect is how one kind of forge is told.
type dialect interface {
	// say is the request that sets a status, and carries the token.
	say(d *destination, s Status, token string) call
	// well tells whether an answer that is no success is one all the same.
	well(s Status, code int, body string) bool
}

func dialectOf(provider string) dialect {
	switch provider {
	case config.GitHub:
		return github{}
	case config.GitLab:
		return gitlab{}
	case config.Bitbucket:
		return bitbucket{}
	case config.BitbucketServer:
		return bitbucketServer{}
	default:
		return gitea{}
	}
}

// strict is a dialect in which only a success is one.
type strict struct{}

func (strict) well(Status, int, string) bool { return false }

// unlessEmpty leaves a key out that has no value.
func unlessEmpty(body map[string]any, key, value string) {
	if value != "" {
		body[key] = value
	}
}

// within is a link, unless it has more characters than a forge takes: one that was cut
// leads nowhere.
func within(link string, characters int) string {
	if utf8.RuneCountInString(link) > characters {
		return ""
	}
	return link
}

// at joins the parts of a path behind a base, each of them escaped.
func at(base string, parts ...string) string {
	for _, part := range parts {
		base += "/" + url.PathEscape(part)
	}
	return base
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}
