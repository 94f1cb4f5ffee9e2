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
		{"kubernetes", "none; in a pod, the cluster that it is in", "The cluster that the agent keeps, instead of a Docker engine. `kubernetes: {}` is the one that kubectl would ask."},
		{"kubernetes.kubeconfig", "in a pod its own account, else KUBECONFIG, else ~/.kube/config", "The kubeconfig file, with its exec plugins."},
		{"kubernetes.context", "the current one", "A context of the kubeconfig."},
		{"kubernetes.namespace", "in a pod its own, else syncd", "The namespace of the agent's own objects: its record and its lease."},
		{"kubernetes.record", "secrets in a pod, else disk", "Where the record is kept: `secrets`, sealed in the agent's namespace, or `disk`, in the state directory."},
		{"kubernetes.serviceAccount", "none: the agent's own", "In whose name apps are applied that name no account themselves: NAMESPACE/NAME of a ServiceAccount, or NAME in each app's own namespace."},
		{"socket", "/run/syncd/syncd.sock", "The Unix socket that the verbs talk to the agent over."},
		{"gate", "", "What the gates of this host are made of."},
		{"gate.image", "made of the `syncd-gate` beside syncd", "An image to use as it is, pulled where it is not there. Its entrypoint is `/syncd-gate`. Gates that run keep theirs."},
		{"registries", "", "Where images come from, besides their own registry."},
		{"registries.mirrors", "none", "What is asked before a registry, by its host, such as docker.io. `*` is for all that have no entry of their own."},
		{"registries.mirrors.NAME.endpoint", "none", "Addresses of mirrors, asked in order: https://HOST[:PORT], http://HOST[:PORT] for plain HTTP, with /v2/PREFIX where all repositories are below a prefix."},
		{"registries.mirrors.NAME.rewrite", "none", "Regular expressions of repositories, and what the mirrors call them; $1 is the first group. Of those that match, the longest expression is used."},
		{"registries.mirrors.NAME.fallback", "true", "Asks the registry itself where no mirror has the image."},
		{"registries.configs", "none", "How mirrors and registries are reached, by HOST[:PORT]. An image's own registry that has an entry is asked by the agent, not by the engine."},
		{"registries.configs.NAME.auth", "", "A login; without one, that of `docker login` is used."},
		{"registries.configs.NAME.auth.username", "none", "The user name."},
		{"registries.configs.NAME.auth.passwordFile", "none", "A file that holds the password or token; it is read anew at each use."},
		{"registries.configs.NAME.tls", "", "Certificates; their files are read anew at each use."},
		{"registries.configs.NAME.tls.caFile", "none", "A certificate authority beside the system's."},
		{"registries.configs.NAME.tls.certFile", "none", "A client certificate."},
		{"registries.configs.NAME.tls.keyFile", "none", "Its key."},
		{"registries.configs.NAME.tls.insecureSkipVerify", "false", "Trusts whoever answers. Digests still hold, tags are anybody's."},
		{"images", "", "Where images lie on this host."},
		{"images.archives", "none", "A directory of `docker save` archives, OCI archives and OCI layouts, which is looked into before any network."},
		{"packs", "", "How this host takes packs: files that bring revisions and images where no network does ([airgap.md](airgap.md))."},
		{"packs.dir", "none", "A directory that is watched for packs. Each is unpacked, and moved into `done` or `broken` below it; none is ever removed."},
		{"packs.allowedSignersFile", "none", "Who may sign packs, in the form of OpenSSH's allowed_signers; the namespace is `syncd-pack`. It is read anew for each pack."},
		{"packs.allowUnsigned", "false", "Takes packs that nobody signed, too: whoever can bring a file then decides what runs."},
		{"packs.registry", "none", "A registry, HOST or HOST:PORT, where images of packs are pushed, for the nodes of a cluster to ask; http://HOST[:PORT] for plain HTTP."},
		{"packs.allowHTTP", "false", "Permits `packs.registry` to be of plain HTTP, to which no login is sent."},
		{"packs.size", "64GiB", "How large a pack may be."},
		{"limits", "", "What the child process that fetches and renders may use."},
		{"limits.fetchTime", "5m", "The time that one fetch may take."},
		{"limits.fetchMemory", "1GiB", "The memory that one fetch, and rendering one app, may use."},
		{"limits.fetchDisk", "2GiB", "The disk space that one fetch may use: what is downloaded and the files of the commit together."},
		{"limits.file", "5MiB", "The size of one file of the repository; an app that reads a larger one is rejected."},
		{"limits.files", "20000", "How many files one commit may have; directories are counted by themselves, up to the same number."},
		{"limits.commits", "10000", "How many commits between two revisions may be looked at one by one."},
		{"limits.renderTime", "1m", "The time that rendering one app may take."},
		{"limits.renderSize", "10MiB", "The size of what one app renders to."},
		{"limits.objects", "5000", "How many objects one app may have."},
		{"metrics", "", "Where the agent's metrics can be scraped, besides its socket."},
		{"metrics.listen", "none", "An address and a port, such as `127.0.0.1:9185`, for `GET /metrics`. Whoever reaches it reads: keep it on the loopback, or behind a proxy."},
	}, webhookKeys(), notifyKeys(), feedbackKeys(), []keyDoc{
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
		{"kubernetes", "", "How the app is built for a cluster, and as whom it is applied. Docker hosts do not look at it."},
		{"kubernetes.path", "the app's directory", "What is built, relative to the app's directory, such as overlays/prod; `${NAME}` of `host.vars` may stand in it. It holds a kustomization, a chart, or manifests."},
		{"kubernetes.namespace", "default", "The namespace of objects that name none, and of the Helm release; `${NAME}` may stand in it."},
		{"kubernetes.serviceAccount", "the host's `kubernetes.serviceAccount`, else the agent's own", "In whose name the app is applied: NAME or NAMESPACE/NAME of a ServiceAccount. The app can do only what that one may."},
		{"kubernetes.labels", "none", "Labels that every object of the app gets."},
		{"kubernetes.helm", "", "How a chart is rendered."},
		{"kubernetes.helm.release", "the app's name", "The name of the release."},
		{"kubernetes.helm.values", "none", "Values files, relative to the app's directory; later ones win. `${NAME}` may stand in a path."},
		{"kubernetes.helm.set", "none", "Single values by their dotted path, such as `image.tag`; they win over files. `${NAME}` may stand in them."},
		{"kubernetes.helm.chart", "the one in the directory", "A chart that is not in the repository, pinned."},
		{"kubernetes.helm.chart.repo", "none", "An `https://` chart repository, or an `oci://` registry path."},
		{"kubernetes.helm.chart.name", "none", "The chart's name there."},
		{"kubernetes.helm.chart.version", "none", "One version; ranges are refused."},
		{"kubernetes.helm.chart.digest", "none", "The digest of the archive (https) or of the manifest (oci). What does not have it is refused."},
		{"kubernetes.health", "the kind's own conditions", "How objects of a kind feel, by kind: `Deployment`, `Certificate.cert-manager.io`."},
		{"kubernetes.health.NAME.healthy", "none", "A CEL expression over `object` that is true when the object is healthy."},
		{"kubernetes.health.NAME.failed", "none", "A CEL expression over `object` that is true when the object has failed."},
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
