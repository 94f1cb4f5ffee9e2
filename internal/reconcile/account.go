package reconcile

import (
	"cmp"
	"regexp"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/state"
)

// usualNamespace is where objects are whose app names no other place.
const usualNamespace = "default"

// account is the ServiceAccount (NAMESPACE/NAME) that an app is applied as. Where
// its settings cannot be read, or are gone, it is the one that it had: an app must
// not gain rights by losing its settings.
func (c *catalog) account(rec state.Record) string {
	if c == nil {
		return rec.As
	}
	if app, here := c.apps[rec.App]; here && app.Error == "" {
		return accountOf(app.Config.Kubernetes, c.usualAccount, c.values)
	}
	return rec.As
}

// settings are the app's. Where they cannot be read, or are gone, it keeps what they
// said last of what may be done without being asked: its windows, and what may differ,
// too.
func (c *catalog) settings(rec state.Record) config.App {
	var app render.App
	here := false
	if c != nil {
		app, here = c.apps[rec.App]
	}
	if !here || app.Error != "" {
		app.Config.Sync, app.Config.Drift = rec.Sync, rec.Drift
	}
	return app.Config
}

// accountOf is the app's own word, else the host's usual account.
func accountOf(app config.KubernetesApp, usual string, values map[string]string) string {
	account := cmp.Or(app.ServiceAccount, usual)
	if account == "" || strings.Contains(account, "/") {
		return account
	}
	return cmp.Or(filled(app.Namespace, values), usualNamespace) + "/" + account
}

// filled puts the host's values into a setting, as the renderer does: ${NAME},
// ${NAME:-default}, and $$ for a $. What the renderer refuses is never applied.
func filled(setting string, values map[string]string) string {
	reference := regexp.MustCompile(`\$\$|\$\{([_a-zA-Z][_a-zA-Z0-9]*)(:-([^${}]*))?\}`)
	return reference.ReplaceAllStringFunc(setting, func(found string) string {
		if found == "$$" {
			return "$"
		}
		part := reference.FindStringSubmatch(found)
		return cmp.Or(values[part[1]], part[3])
	})
}
