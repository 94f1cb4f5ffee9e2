package config

// webhookKeys are those of webhook, in the order of its types.
func webhookKeys() []keyDoc {
	return []keyDoc{
		{"webhook", "", "Where forges tell of pushes, so that it is looked at once. See [triggers](triggers.md#webhooks)."},
		{"webhook.listen", "none", "An address and a port, such as `0.0.0.0:9186`, that webhooks come in at."},
		{"webhook.path", "/hooks", "Where they come to: `POST /hooks/NAME`."},
		{"webhook.pause", "2s", "The time between two looks, from 100ms to 1h, however many webhooks come. The last one is never lost."},
		{"webhook.certFile", "none", "The certificate for HTTPS, in PEM, with those that it is signed by. Without, it is plain HTTP: behind a proxy."},
		{"webhook.keyFile", "none", "The private key of that certificate, in PEM."},
		{"webhook.hooks", "none", "Who may tell, one entry for each."},
		{"webhook.hooks.name", "", "The last part of its address."},
		{"webhook.hooks.provider", "", "How it proves that it knows the secret: `github`, `gitlab`, `gitea`, `forgejo`, `bitbucket`, or `generic`."},
		{"webhook.hooks.secretFile", "", "A file that holds the secret, or GitLab's signing token (`whsec_…`). It is read anew at each use."},
		{"webhook.hooks.header", "X-Signature", "For `generic`: the header that holds the hexadecimal HMAC-SHA256 of the body, with or without `sha256=` before it."},
	}
}

// windowKeys are those that a window of a host and one of an app share.
func windowKeys() []keyDoc {
	return []keyDoc{
		{"sync.windows.kind", "", "`allow` or `deny`. Denied beats allowed; where any window allows, changes are made in such windows only."},
		{"sync.windows.schedule", "", "When it begins: a cron expression, such as `0 22 * * 1-5`."},
		{"sync.windows.duration", "", "How long it lasts, from 1m to 744h."},
		{"sync.windows.timeZone", "UTC", "The time zone of `schedule`, such as `Europe/Berlin`; `Local` is the host's own."},
		{"sync.windows.heal", "false", "Drift is repaired although the window holds changes back."},
	}
}
