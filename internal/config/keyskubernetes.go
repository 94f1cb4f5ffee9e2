package config

// clusterKeys are those of a host's kubernetes, in the order of its types.
func clusterKeys() []keyDoc {
	return []keyDoc{
		{"kubernetes", "none; in a pod, the cluster that it is in", "The cluster that the agent keeps, instead of a Docker engine. `kubernetes: {}` is the one that kubectl would ask."},
		{"kubernetes.kubeconfig", "in a pod its own account, else KUBECONFIG, else ~/.kube/config", "The kubeconfig file, with its exec plugins."},
		{"kubernetes.context", "the current one", "A context of the kubeconfig."},
		{"kubernetes.namespace", "in a pod its own, else syncd", "The namespace of the agent's own objects: its record and its lease."},
		{"kubernetes.record", "secrets in a pod, else disk", "Where the record is kept: `secrets`, sealed in the agent's namespace, or `disk`, in the state directory."},
		{"kubernetes.serviceAccount", "none: the agent's own", "In whose name apps are applied that name no account themselves: NAMESPACE/NAME of a ServiceAccount, or NAME in each app's own namespace."},
	}
}

// buildKeys are those of an app's kubernetes, in the order of its types.
func buildKeys() []keyDoc {
	return []keyDoc{
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
	}
}
