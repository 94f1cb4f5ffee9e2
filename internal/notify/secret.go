package notify

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// Bounds, in bytes: of a secret's file, and from where on a part of a URL is taken for
// a secret.
const (
	secretBound = 16 << 10
	longPart    = 8
)

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
		value, err := secretOf(one.file, one.env)
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

// secretOf reads a secret from a file, or from a variable of the environment; the
// line's end after it is none of it.
func secretOf(file, env string) (string, error) {
	value := os.Getenv(env)
	if file != "" {
		data, err := readFile(file)
		if err != nil {
			return "", err
		}
		value = string(data)
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "" && file != "":
		return "", fmt.Errorf("%s is empty", file)
	case value == "":
		return "", fmt.Errorf("the environment has no %s", env)
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", errors.New("it has more than one line")
	}
	return value, nil
}

// readFile reads a regular file, up to a bound.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, secretBound+1))
	if err == nil && len(data) > secretBound {
		err = fmt.Errorf("%s is longer than %d bytes", path, secretBound)
	}
	return data, err
}
