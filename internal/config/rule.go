package config

import (
	"encoding"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule is the value of a field's `rule` struct tag: what its value must be
// like. It is the name of a shape (see shapes), a choice "a|b", or a range
// "low..high" in the field's own unit. The decoder and the JSON Schema both
// read it, so that an editor and the agent agree.

// shape is a named form of a string.
type shape struct {
	name string
	want string
	// pattern is in the syntax that Go and JSON Schema share.
	pattern string
	// refuse is a second pattern that must not match; empty where one is enough.
	refuse string
	// check says what else is wrong, which no pattern can; nil is nothing.
	check func(value string) error
}

// shapes are the forms that strings have. Names of apps and services are
// Compose's; labels are Kubernetes's.
func shapes() []shape {
	return []shape{
		{name: "abs", want: "an absolute path, such as /etc/syncd", pattern: `^/`},
		{name: "file", want: "a path relative to the app's directory", pattern: `^[^/\\]`},
		{name: "inside", want: "a path relative to the repository's root, without ..", pattern: `^[^/\\]`, refuse: `(^|/)\.\.(/|$)`},
		{name: "app", want: "lower-case letters, digits, - and _, beginning with a letter or digit", pattern: `^[a-z0-9][a-z0-9_-]*$`},
		{name: "service", want: "letters, digits, ., - and _", pattern: `^[a-zA-Z0-9._-]+$`},
		{name: "profile", want: "letters, digits, ., - and _, beginning with a letter or digit", pattern: `^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`},
		{name: "variable", want: "letters, digits and _, not beginning with a digit", pattern: `^[A-Za-z_][A-Za-z0-9_]*$`},
		{name: "label", want: "at most 63 letters, digits, ., -, _ and /, beginning and ending with a letter or digit", pattern: `^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$`},
		{name: "labelValue", want: "at most 63 letters, digits, ., - and _, beginning and ending with a letter or digit", pattern: `^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$`},
		{name: "ref", want: "a name that Git allows", pattern: `^[^-/.\s~^:?*\[\\][^\s~^:?*\[\\]*$`, refuse: `\.\.|@\{|//|/$|\.lock$`},
		{name: "semver", want: "a range of versions, such as >=1.2 <2", pattern: `^[0-9A-Za-z.*<>=~^!|, +-]{1,200}$`},
		{name: "commit", want: "the full 40 lower-case hex digits of a commit", pattern: `^[0-9a-f]{40}$`},
		{name: "url", want: "an https, ssh or file URL, or a path", pattern: `^[^-\s]\S*$`},
		{name: "web", want: "an http or https URL without a login or a query", pattern: `^https?://[^\s/@?#]+(/[^\s@?#]*)?$`},
		{name: "engine", want: "an engine's address, such as unix:///var/run/docker.sock", pattern: `^(unix|tcp|http|https|ssh|npipe)://\S+$`},
		{name: "image", want: "an image, such as registry.example.com/syncd-gate:1", pattern: `^[a-zA-Z0-9][a-zA-Z0-9._:@/\[\]-]*$`, refuse: `://|/$|:$`},
		{name: "listen", want: "an address and a port, such as 127.0.0.1:9185", pattern: `^(\[[0-9a-fA-F:.]+\]|[0-9.]+):[0-9]{1,5}$`, refuse: `:(6553[6-9]|655[4-9][0-9]|65[6-9][0-9]{2}|6[6-9][0-9]{3}|[7-9][0-9]{4})$`},
		{name: "name", want: "at most 63 lower-case letters, digits and -, beginning and ending with a letter or digit", pattern: `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`},
		{name: "account", want: "NAME or NAMESPACE/NAME of a ServiceAccount", pattern: `^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`},
		{name: "kind", want: "a kind, such as Deployment or Certificate.cert-manager.io", pattern: `^[A-Z][A-Za-z0-9]*(\.[a-z0-9][a-z0-9.-]*)?$`},
		{name: "dotted", want: "the path of a value, such as image.tag", pattern: `^[A-Za-z0-9_-][^\s=]*$`},
		{name: "chartRepo", want: "an oci:// or https:// address", pattern: `^(oci|https)://[^\s@]+$`},
		{name: "version", want: "one version, such as 1.2.3", pattern: `^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`},
		{name: "digest", want: "sha256: and 64 lower-case hex digits", pattern: `^sha256:[0-9a-f]{64}$`},
		{name: "cron", want: "a cron expression, such as 0 22 * * 1-5", pattern: cronPattern, check: checkCron},
		{name: "zone", want: "a time zone, such as Europe/Berlin", pattern: `^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`, check: checkZone},
		{name: "route", want: "a path, such as /hooks", pattern: `^(/[A-Za-z0-9._-]+)+$`, refuse: `/\.\.?(/|$)`},
		{name: "header", want: "the name of a header, such as X-Signature", pattern: `^[A-Za-z0-9-]+$`},
		{name: "registry", want: "a registry's host, such as docker.io or registry.example.com:5000, or *", pattern: `^(\*|[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?)$`},
		{name: "registryHost", want: "HOST or HOST:PORT of a registry or mirror", pattern: `^([a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$`},
		{name: "registryAddress", want: "HOST or HOST:PORT of a registry, or http://HOST[:PORT]", pattern: `^(https?://)?([a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$`},
		{name: "endpoint", want: "https://HOST[:PORT], http://HOST[:PORT], or one of these with /v2/PREFIX", pattern: `^https?://([a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/|/v2(/[a-z0-9._/-]*)?)?$`},
		{name: "repository", want: "a repository, in which $1 stands for the first group", pattern: `^[a-zA-Z0-9._/${}-]+$`},
		{name: "glob", want: "a glob over names, such as shop-*", pattern: `^[a-z0-9*?\[\]^-]([a-z0-9_*?\[\]^-]*)$`, check: checkGlob},
		{name: "forgeRepository", want: "OWNER/NAME, as the forge calls the repository", pattern: `^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)+$`, refuse: `(^|/)\.\.?(/|$)`},
		{name: "statusContext", want: "the name of a status, such as syncd/{host}", pattern: `^[A-Za-z0-9{][A-Za-z0-9 ._/:(){}-]{0,99}$`},
		{name: "anyWeb", want: "an http or https URL", pattern: `^https?://[^/\s]\S*$`},
		{name: "hostPort", want: "HOST:PORT, such as mail.example.org:587", pattern: `^([a-zA-Z0-9][a-zA-Z0-9.-]*|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$`},
		{name: "mail", want: "an e-mail address", pattern: `^[^@\s<>,;"]+@[^@\s<>,;"]+$`},
		{name: "template", want: "a template", pattern: `\S`},
		{name: "objects", want: "KIND/NAME, such as Deployment/web*", pattern: `^[^\s/]+/[^\s/]+(/[^\s/]+)?$`, check: checkObjects},
		{name: "fieldPath", want: "a field, such as spec.replicas or /spec/replicas", pattern: `^\S+$`, check: checkFieldPath},
		{name: "onRollback", want: `halt, keep or "run: SERVICE"`, pattern: `^(halt|keep|run: ?[a-zA-Z0-9._-]+)$`},
	}
}

// checkGlob refuses what matches nothing for want of a bracket.
func checkGlob(value string) error {
	_, err := path.Match(value, "")
	return err
}

// shapeOf finds a shape by name.
func shapeOf(name string) (shape, bool) {
	all := shapes()
	i := slices.IndexFunc(all, func(s shape) bool { return s.name == name })
	if i < 0 {
		return shape{}, false
	}
	return all[i], true
}

// bounds returns the two ends of a range rule.
func bounds(rule string) (low, high string, ok bool) { return strings.Cut(rule, "..") }

// choices returns the words of a choice rule.
func choices(rule string) []string {
	if !strings.Contains(rule, "|") {
		return nil
	}
	return strings.Split(rule, "|")
}

// breaks returns what value would have to be, where it breaks the rule; the
// empty string where it does not.
func breaks(rule, value string) string {
	if words := choices(rule); words != nil {
		if slices.Contains(words, value) {
			return ""
		}
		return strings.Join(words, " or ")
	}
	s, ok := shapeOf(rule)
	switch {
	case !ok:
		return ""
	case !s.fits(value):
		return s.want
	case s.check != nil:
		if err := s.check(value); err != nil {
			return s.want + " (" + err.Error() + ")"
		}
	}
	return ""
}

func (s shape) fits(value string) bool {
	if !regexp.MustCompile(s.pattern).MatchString(value) {
		return false
	}
	return s.refuse == "" || !regexp.MustCompile(s.refuse).MatchString(value)
}

// outside tells whether a number, duration or size lies out of the rule's range.
func outside(rule string, v reflect.Value) bool {
	low, high, ok := bounds(rule)
	if !ok {
		return false
	}
	return v.Int() < measure(low, v.Type()) || v.Int() > measure(high, v.Type())
}

// measure reads one end of a range in the unit of t. The ends are constants in
// struct tags, and a test reads them all.
func measure(end string, t reflect.Type) int64 {
	v := reflect.New(t)
	if u, ok := v.Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(end)); err != nil {
			return -1
		}
		return v.Elem().Int()
	}
	n, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
