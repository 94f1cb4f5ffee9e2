package config

// feedbackKeys are those of feedback, in the order of its type.
func feedbackKeys() []keyDoc {
	return []keyDoc{
		{"feedback", "none", "Forges whose commits are told how they fare on this host, as commit statuses. See [feedback](feedback.md)."},
		{"feedback.name", "the provider", "What log and metrics call it."},
		{"feedback.provider", "", "`github`, `gitlab`, `gitea`, `forgejo`, `bitbucket` (Cloud) or `bitbucket-server` (Server and Data Center)."},
		{"feedback.url", "the provider's public service, where `repo.url` is there or on no server", "The base of the API, such as `https://git.example.org`."},
		{"feedback.repository", "that of `repo.url`", "OWNER/NAME, as the forge calls the repository; at GitLab with all groups, at Bitbucket Server PROJECT/NAME."},
		{"feedback.username", "none", "The name that belongs to the token, where Bitbucket wants a login and no access token."},
		{"feedback.tokenFile", "none", "A file that holds a token that may set commit statuses; it is read anew at each use."},
		{"feedback.tokenEnv", "none", "A variable of the agent's environment that holds it."},
		{"feedback.environment", "none", "What this host is part of, such as `production`: it stands behind the status's name."},
		{"feedback.context", "syncd/{host}", "The status's name. `{host}`, `{environment}` and `{app}` stand for what they say; no two hosts may have the same."},
		{"feedback.targetURL", "none; at Bitbucket the commit's own page", "Where a click on the status leads; `{host}`, `{environment}`, `{app}` and `{commit}` stand for what they say."},
		{"feedback.perApp", "false", "Sets a status for each app that the commit concerns, too."},
		{"feedback.caFile", "none", "A certificate authority beside the system's."},
		{"feedback.timeout", "15s", "What one attempt may take, from 1s to 1m."},
	}
}
