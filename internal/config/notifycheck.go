package config

import (
	"maps"
	"path"
	"slices"
	"strings"

	"syncd.io/syncd/internal/nearest"
)

// checkNotify checks what concerns several fields of notify at once.
func (d *decoder) checkNotify(n Notify) {
	if d.faulty() {
		return
	}
	names := slices.Sorted(maps.Keys(n.Channels))
	for _, name := range names {
		d.checkChannel(n.Channels[name], "notify.channels."+name)
	}
	seen := map[string]bool{}
	for i, r := range n.Routes {
		d.checkRoute(r, nth("notify.routes", i), names, seen)
	}
}

// checkRoute checks a route as a whole; seen are the names of those before it.
func (d *decoder) checkRoute(r Route, at string, channels []string, seen map[string]bool) {
	line := d.lines[at]
	if len(r.To) == 0 {
		d.add(line, "name channels, such as to: [ops]", "%s.to is missing: nobody would be told", at)
	}
	for _, to := range r.To {
		if !slices.Contains(channels, to) {
			d.add(line, meant(to, channels), "%s.to names %q, and notify.channels has none of that name", at, shorten(to))
		}
	}
	if r.Name != "" && seen[r.Name] {
		d.add(line, "give it another name", "%s.name is %q, like that of another route", at, r.Name)
	}
	seen[r.Name] = true
}

func meant(word string, known []string) string {
	if near := nearest.Word(word, known); near != "" {
		return `did you mean "` + near + `"?`
	}
	if len(known) == 0 {
		return "add it to notify.channels"
	}
	return "there are " + strings.Join(known, ", ")
}

// use says which settings a type of channel needs, and which it may have besides.
// "url" stands for url, urlFile and urlEnv, and so do the others that may be in a
// file.
type use struct{ needs, may []string }

func uses() map[string]use {
	address := use{needs: []string{"url"}}
	return map[string]use{
		"slack": address, "teams": address, "discord": address,
		Telegram:     {[]string{"token", "room"}, []string{"url"}},
		Email:        {[]string{"server", "from", "recipients"}, []string{"username", "password", "tls"}},
		"matrix":     {[]string{"url", "token", "room"}, nil},
		"ntfy":       {[]string{"url", "room"}, []string{"token", "username", "password"}},
		"webhook":    {[]string{"url"}, []string{"secret", "token", "cloudEvents"}},
		Alertmanager: {[]string{"url"}, []string{"token", "username", "password"}},
		Command:      {[]string{"command"}, nil},
	}
}

// checkChannel checks that a channel has what its type needs, and nothing that is of
// no use to it.
func (d *decoder) checkChannel(c Channel, at string) {
	line := d.lines[at]
	if c.Type == "" {
		d.add(line, "such as type: slack", "%s.type is missing", at)
		return
	}
	of, given := uses()[c.Type], c.given()
	for _, key := range of.needs {
		if !given[key] {
			d.add(line, hintFor(key), "%s is of type %s, and %s is missing", at, c.Type, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] && !slices.Contains(slices.Concat(of.needs, of.may), key) {
			d.add(line, "remove it", "%s is of type %s, to which %s is of no use", at, c.Type, key)
		}
	}
	d.checkSources(c, at)
	if c.TLS == "none" && c.Username != "" {
		d.add(line, "use starttls or tls", "%s would send its password without TLS", at)
	}
	if c.Type == Command && len(c.Command) > 0 && !path.IsAbs(c.Command[0]) {
		d.add(line, "write its absolute path: there is no PATH", "%s.command is no absolute path", at)
	}
}

// checkSources refuses a secret that is given twice, and half a login.
func (d *decoder) checkSources(c Channel, at string) {
	for _, x := range []struct {
		key    string
		values []string
	}{
		{"url", []string{c.URL, c.URLFile, c.URLEnv}}, {"token", []string{c.TokenFile, c.TokenEnv}},
		{"password", []string{c.PasswordFile, c.PasswordEnv}}, {"secret", []string{c.SecretFile, c.SecretEnv}},
	} {
		if len(slices.DeleteFunc(x.values, func(v string) bool { return v == "" })) > 1 {
			d.add(d.lines[at], "keep one of them", "%s says in two ways what its %s is", at, x.key)
		}
	}
	given := c.given()
	if given["username"] != given["password"] {
		d.add(d.lines[at], "give username, and passwordFile or passwordEnv", "%s has half a login", at)
	}
	if given["token"] && given["username"] {
		d.add(d.lines[at], "keep one of them", "%s has a token and a login", at)
	}
}

func hintFor(key string) string {
	switch key {
	case "url", "token":
		return "add " + key + "File, with the path of a file that holds it"
	case "room":
		return "Matrix' room ID, Telegram's chat ID, or ntfy's topic"
	case "server":
		return "such as server: mail.example.org:587"
	case "command":
		return "such as command: [/usr/local/bin/tell]"
	default:
		return "add it"
	}
}

// given tells which settings a channel has.
func (c Channel) given() map[string]bool {
	return map[string]bool{
		"url": c.URL+c.URLFile+c.URLEnv != "", "token": c.TokenFile+c.TokenEnv != "",
		"username": c.Username != "", "password": c.PasswordFile+c.PasswordEnv != "", "secret": c.SecretFile+c.SecretEnv != "",
		"room": c.Room != "", "server": c.Server != "", "tls": c.TLS != "", "from": c.From != "", "recipients": len(c.Recipients) > 0,
		"cloudEvents": c.CloudEvents, "command": len(c.Command) > 0,
	}
}
