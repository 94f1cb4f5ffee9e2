package config

// imageKeys are those of registries and images, in the order of its types.
func imageKeys() []keyDoc {
	return []keyDoc{
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
	}
}

// packKeys are those of packs, in the order of its types.
func packKeys() []keyDoc {
	return []keyDoc{
		{"packs", "", "How this host takes packs: files that bring revisions and images where no network does ([airgap.md](airgap.md))."},
		{"packs.dir", "none", "A directory that is watched for packs. Each is unpacked, and moved into `done` or `broken` below it; none is ever removed."},
		{"packs.allowedSignersFile", "none", "Who may sign packs, in the form of OpenSSH's allowed_signers; the namespace is `syncd-pack`. It is read anew for each pack."},
		{"packs.allowUnsigned", "false", "Takes packs that nobody signed, too: whoever can bring a file then decides what runs."},
		{"packs.registry", "none", "A registry, HOST or HOST:PORT, where images of packs are pushed, for the nodes of a cluster to ask; http://HOST[:PORT] for plain HTTP."},
		{"packs.allowHTTP", "false", "Permits `packs.registry` to be of plain HTTP, to which no login is sent."},
		{"packs.size", "64GiB", "How large a pack may be."},
	}
}
