package reconcile

import (
	"cmp"
	"strings"

	"syncd.io/syncd/internal/config"
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
		return accountOf(app.Config)
	}
	return rec.As
}

func accountOf(app config.App) string {
	if app.Kubernetes.ServiceAccount == "" {
		return ""
	}
	account := app.Kubernetes.ServiceAccount
	if strings.Contains(account, "/") {
		return account
	}
	return cmp.Or(app.Kubernetes.Namespace, usualNamespace) + "/" + account
}
