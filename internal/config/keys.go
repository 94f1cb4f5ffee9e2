package config

import "slices"

// keyDoc says what one key is for. The JSON Schemas and docs/configuration.md
// are both made of it, and a test holds both against the types.
type keyDoc struct {
	path  string
	deflt string // as it would be written; empty where there is none
	text  string
}

// hostKeys are the keys of syncd.yaml, in the order of its types.
func hostKeys() []keyDoc {
	return slices.Concat([]keyDoc{
		{"host", "", "What is particular to this host."},
		{"host.name", "the system's host name", "The name that status, history and messages show."},
		{"host.labels", "none", "Labels of this host, which an app's `hosts.matchLabels` selects by."},
		{"host.vars", "none", "Values that `${NAME}` may use in Compose files. The agent's own environment never is used."},
		{"host.envFiles", "none", "Dotenv files outside Git, absolute paths, hashed and watched. Later ones win, and all win over `host.vars`. Their values count as secrets."},
	}, repoKeys(), []keyDoc{
		{"state", "/var/lib/syncd", "The directory of the record, the clone cache and the mounted files. One agent works on it at a time."},
		{"docker", "DOCKER_HOST, else the local socket", "The address of the Docker engine."},
	}, clusterKeys(), []keyDoc{
		{"socket", "/run/syncd/syncd.sock", "The Unix socket that the verbs talk to the agent over."},
		{"gate", "", "What the gates of this host are made of."},
		{"gate.image", "made of the `syncd-gate` beside syncd", "An image to use as it is, pulled where it is not there. Its entrypoint is `/syncd-gate`. Gates that run keep theirs."},
	}, imageKeys(), packKeys(), limitKeys(), observeKeys(), webhookKeys(), notifyKeys(), feedbackKeys(), heartbeatKeys(), []keyDoc{
		{"sync", "", "When apps of this host may be changed."},
		{"sync.windows", "none", "Times at which changes are allowed, or denied. See [windows](triggers.md#windows)."},
	}, windowKeys(), []keyDoc{
		{"sync.windows.apps", "every app", "The apps that it is for."},
		{"drift", "", "What is done about drift of apps that say nothing else. See [drift](drift.md)."},
		{"drift.grace", "0s", "How old drift has to be before it is repaired, from 0s to 744h. It is reported at once."},
		{"drift.schedule", "none; a full look every ten minutes is made anyway", "When every app is looked at in full, besides what events ask for: a cron expression, such as `0 6 * * *`, in UTC."},
	})
}

// appKeys are the keys of .syncd.yaml, in the order of its types.
func appKeys() []keyDoc {
	return slices.Concat([]keyDoc{
		{"name", "the directory's name", "The project's name where the Compose file has no `name:`. An app at the repository's root needs one."},
		{"owner", "none", "Who is responsible: free text, a team or an address."},
		{"hosts", "", "Which hosts run the app."},
		{"hosts.matchLabels", "every host", "Labels that a host must carry, all of them."},
		{"compose", "compose.yaml and its override, as Compose finds them", "The Compose files, relative to the app's directory; later ones override earlier ones."},
		{"profiles", "none", "Compose profiles that are active."},
		{"dependsOn", "none", "Other apps that must be good before this one is changed."},
		{"hostDir", "none; adopted projects: Compose's working directory", "The absolute directory on the host where relative bind mounts live that are writable or that Git does not track."},
		{"gate", "none", "`tcp`, `http` or `none`: the `x-syncd.gate` of every service that says none itself and publishes fixed TCP ports. What a gate cannot serve is named by a note, and published as before."},
	}, buildKeys(), []keyDoc{
		{"sync", "", "What the agent does by itself."},
		{"sync.auto", "true", "Applies new revisions without being asked."},
		{"sync.selfHeal", "true", "Repairs drift; false only reports it."},
		{"sync.prune", "true", "Removes what belongs to the app and is no longer wanted. Volumes never go without consent."},
		{"sync.windows", "none", "Times at which the app may be changed, or may not. The host's windows count besides: both have to be open. See [windows](triggers.md#windows)."},
	}, windowKeys(), []keyDoc{
		{"drift", "", "What is done about differences that syncd did not make. See [drift](drift.md)."},
		{"drift.ignore", "none", "Fields that may differ: that is no drift, and syncd does not put them back by itself."},
		{"drift.ignore.objects", "every object", "Globs of KIND/NAME or KIND/NAMESPACE/NAME, such as `Deployment/web*` or `container/web`."},
		{"drift.ignore.fields", "", "Fields as `syncd drift` prints them (`spec.replicas`), or JSON pointers (`/spec/replicas`), with all that is below; `*` stands for one name."},
		{"drift.ignore.reason", "", "Why, for those who read of it."},
		{"drift.grace", "the host's, else 0s", "How old drift has to be before it is repaired, from 0s to 744h. It is reported at once."},
		{"drift.schedule", "the host's", "When the app is looked at in full, besides what events ask for: a cron expression, such as `0 6 * * *`, in UTC."},
		{"rollout", "", "The clocks of a change."},
		{"rollout.timeout", "1m", "How long an instance may take from start to healthy, from 1s to 24h."},
		{"rollout.soak", "5s", "How long the whole app must stay healthy before the revision is good, from 0s to 24h."},
		{"rollback", "", "What follows a failed change."},
		{"rollback.auto", "true", "Puts the last good revision back."},
		{"rollback.keep", "2", "How many good revisions keep their images."},
		{"jobs", "none", "One-shot services, by name."},
		{"jobs.NAME.onRollback", "halt", "What a rollback does after the job ran in the failed change: `halt` (stop and ask), `keep` (go back all the same), or `run: SERVICE` (run that service first), written `{run: SERVICE}`."},
		{"jobs.NAME.before", "none", "A service (a backup) that runs before the job does."},
		{"health", "", "What happens after a revision is good."},
		{"health.onUnhealthy", "report", "What is done about an instance that turns unhealthy or loops: `restart` or `report`."},
		{"health.budget", "3", "How many such restarts per hour and service are allowed."},
	})
}
