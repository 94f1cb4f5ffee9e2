package notify

import (
	"fmt"
	"net/url"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
)

// longPart is from where on a part of a URL is taken for a secret, in bytes.
const longPart = 8

// web is what channels share: their name and settings, and how their secrets are read.
type web struct {
	name string
	conf config.Channel
}

// secrets are a channel's, as they are now.
type secrets struct{ url, token, password, secret string }

// all are those that must not be shown: of a URL each part that may be one, besides.
func (s secrets) all() []string {
	all := []string{s.token, s.password, s.secret, s.url}
	u, err := url.Parse(s.url)
	if err != nil {
		return all
	}
	password, _ := u.User.Password()
	all = append(all, u.RequestURI(), password)
	for _, part := range strings.FieldsFunc(u.RequestURI(), func(r rune) bool { return strings.ContainsRune("/?&=", r) }) {
		if len(part) >= longPart {
			all = append(all, part)
		}
	}
	return all
}

// read reads all secrets anew: they may have been changed. Errors: Blocked; they never
// hold one.
func (w web) read() (secrets, error) {
	c := w.conf
	s := secrets{url: c.URL}
	for _, one := range []struct {
		into           *string
		key, file, env string
	}{
		{&s.url, "url", c.URLFile, c.URLEnv}, {&s.token, "token", c.TokenFile, c.TokenEnv},
		{&s.password, "password", c.PasswordFile, c.PasswordEnv}, {&s.secret, "secret", c.SecretFile, c.SecretEnv},
	} {
		if one.file+one.env == "" {
			continue
		}
		value, err := egress.Secret(one.file, one.env)
		if err != nil {
			hint := "see notify.channels." + w.name + "." + one.key + "File and ." + one.key + "Env; the user that syncd runs as has to be able to read it"
			return s, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read the %s of channel %s: %w", one.key, w.name, err)), hint)
		}
		*one.into = value
	}
	if s.url == "" && c.Type == config.Telegram {
		s.url = "https://api.telegram.org"
	}
	return s, w.sound(s.url)
}

// sound refuses what is no URL, without saying what it is.
func (w web) sound(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return nil
	}
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("the URL of channel %s is none of http or https", w.name)), "check notify.channels."+w.name)
}

// readable tells whether the channel's secrets, and its certificates, can be read.
func (w web) readable() error {
	if _, err := w.read(); err != nil {
		return err
	}
	_, err := w.trust()
	return err
}
