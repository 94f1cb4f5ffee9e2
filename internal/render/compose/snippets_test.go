package compose

// snippets has one text for each row of docs/compose.md: lines of the service
// web, or a whole Compose file. What stands between « and » is the field.
func snippets() map[string]string {
	out := map[string]string{}
	for _, group := range []map[string]string{
		topSnippets(), serviceSnippets(), oldSnippets(), nestedSnippets(), mountSnippets(), deploySnippets(), sharedSnippets(),
	} {
		for name, text := range group {
			out[name] = text
		}
	}
	return out
}

const webOnly = "services: {web: {image: a}}\n"

func topSnippets() map[string]string {
	return map[string]string{
		"Top level.name":     "«name: other\n»" + webOnly,
		"Top level.version":  "«version: '3'\n»" + webOnly,
		"Top level.include":  "«include: [sub/inner.yaml]\n»" + webOnly,
		"Top level.services": "services: {web: {image: a}«, api: {image: b}»}\n",
		"Top level.networks": "services: {web: {image: a}}\n«networks: {default: {name: n}}\n»",
		"Top level.volumes":  "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {«name: n»}}\n",
		"Top level.configs":  "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {content: x«y»}}\n",
		"Top level.secrets":  "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: conf/a.conf«x»}}\n",
		"Top level.jobs":     webOnly + "«jobs: {j: {image: a}}\n»",
		"Top level.models":   webOnly + "«models: {m: {model: a}}\n»",

		"include.path":              "include: [sub/inner.yaml«, other.yaml»]\n" + webOnly,
		"include.project_directory": "include: [{path: sub/inner.yaml«, project_directory: dir»}]\n" + webOnly,
		"include.env_file":          "include: [{path: sub/inner.yaml«, env_file: dir/vars»}]\n" + webOnly,
	}
}

func serviceSnippets() map[string]string {
	lines := map[string]string{
		"annotations":         "annotations: {a: b}",
		"attach":              "attach: false",
		"blkio_config":        "blkio_config: {weight: 300}",
		"build":               "build: .",
		"cap_add":             "cap_add: [NET_ADMIN]",
		"cap_drop":            "cap_drop: [all]",
		"cgroup":              "cgroup: host",
		"cgroup_parent":       "cgroup_parent: a",
		"command":             "command: a b",
		"container_name":      "container_name: fixed",
		"cpu_count":           "cpu_count: 1",
		"cpu_percent":         "cpu_percent: 50",
		"cpu_period":          "cpu_period: 10000",
		"cpu_quota":           "cpu_quota: 5000",
		"cpu_rt_period":       "cpu_rt_period: 10000",
		"cpu_rt_runtime":      "cpu_rt_runtime: 5000",
		"cpu_shares":          "cpu_shares: 100",
		"cpus":                "cpus: 0.5",
		"cpuset":              "cpuset: '0'",
		"credential_spec":     "credential_spec: {file: a}",
		"deploy":              "deploy: {replicas: 2}",
		"develop":             "develop: {watch: [{path: ., action: rebuild}]}",
		"device_cgroup_rules": "device_cgroup_rules: ['c 1:3 mr']",
		"devices":             "devices: [/dev/null]",
		"dns":                 "dns: 1.1.1.1",
		"dns_opt":             "dns_opt: [use-vc]",
		"dns_search":          "dns_search: example.com",
		"domainname":          "domainname: example.com",
		"entrypoint":          "entrypoint: [a]",
		"env_file":            "env_file: a.env",
		"environment":         "environment: [A=b]",
		"expose":              "expose: ['80']",
		"extends":             "extends: {file: base.yaml, service: a}",
		"external_links":      "external_links: [a]",
		"extra_hosts":         "extra_hosts: ['a=1.1.1.1']",
		"gpus":                "gpus: all",
		"group_add":           "group_add: ['1']",
		"healthcheck":         "healthcheck: {test: a}",
		"hostname":            "hostname: a",
		"init":                "init: true",
		"ipc":                 "ipc: host",
		"isolation":           "isolation: hyperv",
		"label_file":          "label_file: labels",
		"labels":              "labels: [a=b]",
		"logging":             "logging: {driver: none}",
		"mac_address":         "mac_address: '02:42:ac:11:00:02'",
		"mem_limit":           "mem_limit: 1g",
		"mem_reservation":     "mem_reservation: 1g",
		"mem_swappiness":      "mem_swappiness: 0",
		"memswap_limit":       "memswap_limit: -1",
		"network_mode":        "network_mode: host",
		"oom_kill_disable":    "oom_kill_disable: true",
		"oom_score_adj":       "oom_score_adj: 100",
		"pid":                 "pid: host",
		"pids_limit":          "pids_limit: 10",
		"platform":            "platform: linux/amd64",
		"ports":               "ports: ['80:80']",
		"post_start":          "post_start: [{command: a}]",
		"pre_start":           "pre_start: [{command: a}]",
		"pre_stop":            "pre_stop: [{command: a}]",
		"privileged":          "privileged: true",
		"provider":            "provider: {type: a}",
		"pull_policy":         "pull_policy: always",
		"pull_refresh_after":  "pull_refresh_after: 1h",
		"read_only":           "read_only: true",
		"restart":             "restart: always",
		"runtime":             "runtime: runsc",
		"scale":               "scale: 2",
		"security_opt":        "security_opt: ['label:disable']",
		"shm_size":            "shm_size: 1g",
		"stdin_open":          "stdin_open: true",
		"stop_grace_period":   "stop_grace_period: 1m",
		"stop_signal":         "stop_signal: SIGINT",
		"storage_opt":         "storage_opt: {size: 1G}",
		"sysctls":             "sysctls: {net.core.somaxconn: 1024}",
		"tmpfs":               "tmpfs: /tmp",
		"tty":                 "tty: true",
		"ulimits":             "ulimits: {nofile: 100}",
		"umask":               "umask: 077",
		"use_api_socket":      "use_api_socket: true",
		"user":                "user: '1'",
		"userns_mode":         "userns_mode: host",
		"uts":                 "uts: host",
		"volumes":             "volumes: [/data]",
		"working_dir":         "working_dir: /a",
	}
	out := map[string]string{}
	for field, line := range lines {
		out["services.*."+field] = "«" + line + "»"
	}
	for field, text := range map[string]string{
		"image":        "services: {web: {image: a«:2»}}\n",
		"profiles":     "services: {web: {image: a}, api: {image: b«, profiles: [debug]»}}\n",
		"configs":      "services: {web: {image: a«, configs: [c]»}}\nconfigs: {c: {content: x}}\n",
		"secrets":      "services: {web: {image: a«, secrets: [s]»}}\nsecrets: {s: {environment: GIVEN}}\n",
		"depends_on":   "services: {web: {image: a«, depends_on: [db]»}, db: {image: b}}\n",
		"links":        "services: {web: {image: a«, links: [db]»}, db: {image: b}}\n",
		"networks":     "services: {web: {image: a«, networks: [n]»}}\nnetworks: {n: {}}\n",
		"volumes_from": "services: {web: {image: a«, volumes_from: [db]»}, db: {image: b}}\n",
		"models":       "services: {web: {image: a«, models: [m]»}}\n",
	} {
		out["services.*."+field] = text
	}
	return out
}

// oldSnippets are fields of Compose's first format, which its schema rejects.
func oldSnippets() map[string]string {
	return map[string]string{
		"services.*.dockerfile":    "«dockerfile: a»",
		"services.*.log_driver":    "«log_driver: a»",
		"services.*.log_opt":       "«log_opt: {a: b}»",
		"services.*.net":           "«net: host»",
		"services.*.volume_driver": "«volume_driver: a»",
	}
}

func nestedSnippets() map[string]string {
	const db = ", db: {image: b}}\n"
	return map[string]string{
		"services.*.depends_on.*.condition": "services:\n  db: {image: b}\n  web:\n    image: a\n    depends_on:\n      db:\n        condition: service_«healthy #»started\n",
		"services.*.depends_on.*.restart":   "services: {web: {image: a, depends_on: {db: {condition: service_started«, restart: true»}}}" + db,
		"services.*.depends_on.*.required":  "services: {web: {image: a, depends_on: {db: {condition: service_started«, required: false»}}}" + db,

		"services.*.extends.file":    "services: {a: {image: x}, web: {extends: {service: a«, file: base.yaml»}}}\n",
		"services.*.extends.service": "services: {web: {extends: {file: base.yaml, service: a«b»}}}\n",

		"services.*.env_file.*.path":     "env_file: [{path: a.env}«, {path: b.env}»]",
		"services.*.env_file.*.required": "env_file: [a.env«, {path: nothing.env, required: false}, b.env»]",
		"services.*.env_file.*.format":   "env_file: [{path: raw.env«, format: raw»}]",

		"services.*.healthcheck.test":           "healthcheck: {interval: 1s«, test: a»}",
		"services.*.healthcheck.interval":       "healthcheck: {test: a«, interval: 1s»}",
		"services.*.healthcheck.timeout":        "healthcheck: {test: a«, timeout: 1s»}",
		"services.*.healthcheck.retries":        "healthcheck: {test: a«, retries: 1»}",
		"services.*.healthcheck.start_period":   "healthcheck: {test: a«, start_period: 1s»}",
		"services.*.healthcheck.start_interval": "healthcheck: {test: a«, start_interval: 1s»}",
		"services.*.healthcheck.disable":        "healthcheck: {interval: 1s«, disable: true»}",

		"services.*.ports.*.target":       "ports: [{target: 8«0»}]",
		"services.*.ports.*.published":    "ports: [{target: 80«, published: '8080'»}]",
		"services.*.ports.*.host_ip":      "ports: [{target: 80, published: '8080'«, host_ip: 127.0.0.1»}]",
		"services.*.ports.*.protocol":     "ports: [{target: 80«, protocol: udp»}]",
		"services.*.ports.*.mode":         "ports: [{target: 80«, mode: host»}]",
		"services.*.ports.*.name":         "ports: [{target: 80«, name: a»}]",
		"services.*.ports.*.app_protocol": "ports: [{target: 80«, app_protocol: http»}]",

		"services.*.networks.*.aliases":                "networks: {default: {priority: 1«, aliases: [a]»}}",
		"services.*.networks.*.driver_opts":            "networks: {default: {priority: 1«, driver_opts: {a: b}»}}",
		"services.*.networks.*.gw_priority":            "networks: {default: {priority: 1«, gw_priority: 2»}}",
		"services.*.networks.*.interface_name":         "networks: {default: {priority: 1«, interface_name: eth7»}}",
		"services.*.networks.*.ipv4_address":           "networks: {default: {priority: 1«, ipv4_address: 10.0.0.9»}}",
		"services.*.networks.*.ipv6_address":           "networks: {default: {priority: 1«, ipv6_address: 'fd00::9'»}}",
		"services.*.networks.*.link_local_ips":         "networks: {default: {priority: 1«, link_local_ips: [169.254.1.1]»}}",
		"services.*.networks.*.mac_address":            "networks: {default: {priority: 1«, mac_address: '02:42:ac:11:00:02'»}}",
		"services.*.networks.*.priority":               "networks: {default: {aliases: [a]«, priority: 1»}}",
		"services.*.networks.*.use_service_name_alias": "networks: {default: {priority: 1«, use_service_name_alias: false»}}",

		"services.*.logging.driver":  "logging: {options: {a: b}«, driver: none»}",
		"services.*.logging.options": "logging: {driver: json-file«, options: {max-size: 1m}»}",

		"services.*.blkio_config.weight":            "blkio_config: {«weight: 300»}",
		"services.*.blkio_config.weight_device":     "blkio_config: {weight: 300«, weight_device: [{path: /dev/sda, weight: 300}]»}",
		"services.*.blkio_config.device_read_bps":   "blkio_config: {weight: 300«, device_read_bps: [{path: /dev/sda, rate: 1m}]»}",
		"services.*.blkio_config.device_read_iops":  "blkio_config: {weight: 300«, device_read_iops: [{path: /dev/sda, rate: 100}]»}",
		"services.*.blkio_config.device_write_bps":  "blkio_config: {weight: 300«, device_write_bps: [{path: /dev/sda, rate: 1m}]»}",
		"services.*.blkio_config.device_write_iops": "blkio_config: {weight: 300«, device_write_iops: [{path: /dev/sda, rate: 100}]»}",

		"services.*.devices.*.source":      "devices: [{source: /dev/null«0», target: /dev/x, permissions: r}]",
		"services.*.devices.*.target":      "devices: [{source: /dev/null, target: /dev/x«0», permissions: r}]",
		"services.*.devices.*.permissions": "devices: [{source: /dev/null, target: /dev/x, permissions: r«w»}]",

		"services.*.ulimits.*.single": "ulimits: {nproc: 1«0»}",
		"services.*.ulimits.*.soft":   "ulimits: {nproc: {soft: 1«0», hard: 20}}",
		"services.*.ulimits.*.hard":   "ulimits: {nproc: {soft: 1, hard: 2«0»}}",

		"services.*.post_start.* and services.*.pre_stop.*.command":     "post_start: [{command: [a«, b»]}]",
		"services.*.post_start.* and services.*.pre_stop.*.user":        "post_start: [{command: a«, user: u»}]",
		"services.*.post_start.* and services.*.pre_stop.*.privileged":  "pre_stop: [{command: a«, privileged: true»}]",
		"services.*.post_start.* and services.*.pre_stop.*.working_dir": "pre_stop: [{command: a«, working_dir: /a»}]",
		"services.*.post_start.* and services.*.pre_stop.*.environment": "pre_stop: [{command: a«, environment: [A=b]»}]",
	}
}

func mountSnippets() map[string]string {
	return map[string]string{
		"services.*.volumes.*.type":        "volumes: [{type: «tmpfs, target: /a}, {type: »volume, target: /b}]",
		"services.*.volumes.*.source":      "volumes: [{type: bind, source: /a«/b», target: /c}]",
		"services.*.volumes.*.target":      "volumes: [{type: bind, source: /a, target: /c«/d»}]",
		"services.*.volumes.*.read_only":   "volumes: [{type: bind, source: /a, target: /c«, read_only: true»}]",
		"services.*.volumes.*.consistency": "volumes: [{type: bind, source: /a, target: /c«, consistency: cached»}]",
		"services.*.volumes.*.bind":        "volumes: [{type: bind, source: /a, target: /c«, bind: {propagation: shared}»}]",
		"services.*.volumes.*.volume":      "volumes: [{type: volume, target: /c«, volume: {nocopy: true}»}]",
		"services.*.volumes.*.tmpfs":       "volumes: [{type: tmpfs, target: /c«, tmpfs: {size: 1m}»}]",
		"services.*.volumes.*.image":       "volumes: [{type: image, source: i, target: /c«, image: {subpath: a}»}]",

		"services.*.volumes.*.bind.propagation":      "volumes: [{type: bind, source: /a, target: /c, bind: {selinux: z«, propagation: shared»}}]",
		"services.*.volumes.*.bind.selinux":          "volumes: [{type: bind, source: /a, target: /c, bind: {propagation: shared«, selinux: Z»}}]",
		"services.*.volumes.*.bind.create_host_path": "volumes: [{type: bind, source: /a, target: /c, bind: {propagation: shared«, create_host_path: false»}}]",
		"services.*.volumes.*.bind.recursive":        "volumes: [{type: bind, source: /a, target: /c, bind: {propagation: shared«, recursive: disabled»}}]",

		"services.*.volumes.*.volume.nocopy":  "volumes: [{type: volume, target: /c, volume: {«nocopy: true»}}]",
		"services.*.volumes.*.volume.subpath": "volumes: [{type: volume, target: /c, volume: {nocopy: true«, subpath: a»}}]",
		"services.*.volumes.*.volume.labels":  "volumes: [{type: volume, target: /c, volume: {nocopy: true«, labels: {a: b}»}}]",

		"services.*.volumes.*.tmpfs.size":    "volumes: [{type: tmpfs, target: /c, tmpfs: {mode: 0o700«, size: 1m»}}]",
		"services.*.volumes.*.tmpfs.mode":    "volumes: [{type: tmpfs, target: /c, tmpfs: {size: 1m«, mode: 0o700»}}]",
		"services.*.volumes.*.image.subpath": "volumes: [{type: image, source: i, target: /c, image: {«subpath: a»}}]",

		"services.*.configs.* and services.*.secrets.*.source": "services: {web: {image: a, configs: [{source: c«2», target: /x}]}}\nconfigs: {c: {content: x}, c2: {content: y}}\n",
		"services.*.configs.* and services.*.secrets.*.target": "services: {web: {image: a, secrets: [{source: s«, target: other»}]}}\nsecrets: {s: {environment: GIVEN}}\n",
		"services.*.configs.* and services.*.secrets.*.uid":    "services: {web: {image: a, secrets: [{source: s«, uid: '5'»}]}}\nsecrets: {s: {environment: GIVEN}}\n",
		"services.*.configs.* and services.*.secrets.*.gid":    "services: {web: {image: a, secrets: [{source: s«, gid: '5'»}]}}\nsecrets: {s: {environment: GIVEN}}\n",
		"services.*.configs.* and services.*.secrets.*.mode":   "services: {web: {image: a, configs: [{source: c«, mode: 0400»}]}}\nconfigs: {c: {file: conf/a.conf}}\n",

		"configs.* and secrets.*.name":            "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {content: x«, name: n»}}\n",
		"configs.* and secrets.*.file":            "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {file: conf/a.conf«x»}}\n",
		"configs.* and secrets.*.environment":     "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {environment: GIVEN«2»}}\n",
		"configs.* and secrets.*.content":         "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {content: x«y»}}\n",
		"configs.* and secrets.*.external":        "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {«external: true, x-was: {»content: x«}»}}\n",
		"configs.* and secrets.*.labels":          "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {content: x«, labels: {a: b}»}}\n",
		"configs.* and secrets.*.driver":          "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {environment: GIVEN«, driver: d»}}\n",
		"configs.* and secrets.*.driver_opts":     "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {environment: GIVEN«, driver_opts: {a: b}»}}\n",
		"configs.* and secrets.*.template_driver": "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {environment: GIVEN«, template_driver: d»}}\n",
	}
}

func deploySnippets() map[string]string {
	const device = "deploy: {resources: {reservations: {devices: [{capabilities: [gpu]"
	const update = "services.*.deploy.update_config and services.*.deploy.rollback_config."
	const request = "services.*.gpus.* and services.*.deploy.resources.reservations.devices.*."
	return map[string]string{
		"services.*.deploy.mode":            "scale: 1\ndeploy: {«mode: global, update_config: {parallelism: 2}»}",
		"services.*.deploy.replicas":        "deploy: {mode: replicated«, replicas: 2»}",
		"services.*.deploy.labels":          "deploy: {mode: replicated«, labels: {a: b}»}",
		"services.*.deploy.update_config":   "deploy: {mode: replicated«, update_config: {parallelism: 2}»}",
		"services.*.deploy.rollback_config": "deploy: {mode: replicated«, rollback_config: {parallelism: 2}»}",
		"services.*.deploy.resources":       "deploy: {mode: replicated«, resources: {limits: {memory: 1g}}»}",
		"services.*.deploy.restart_policy":  "deploy: {mode: replicated«, restart_policy: {condition: any}»}",
		"services.*.deploy.placement":       "deploy: {mode: replicated«, placement: {constraints: [node.role==manager]}»}",
		"services.*.deploy.endpoint_mode":   "deploy: {mode: replicated«, endpoint_mode: vip»}",

		update + "parallelism":       "deploy: {update_config: {delay: 1s«, parallelism: 2»}}",
		update + "delay":             "deploy: {update_config: {parallelism: 1«, delay: 1s»}}",
		update + "failure_action":    "deploy: {rollback_config: {parallelism: 1«, failure_action: continue»}}",
		update + "monitor":           "deploy: {update_config: {parallelism: 1«, monitor: 1s»}}",
		update + "max_failure_ratio": "deploy: {rollback_config: {parallelism: 1«, max_failure_ratio: 0.3»}}",
		update + "order":             "deploy: {update_config: {parallelism: 1«, order: start-first»}}",

		"services.*.deploy.resources.limits":                   "deploy: {resources: {«limits: {cpus: '0.5'}»}}",
		"services.*.deploy.resources.reservations":             "deploy: {resources: {«reservations: {memory: 1g}»}}",
		"services.*.deploy.resources.limits.cpus":              "deploy: {resources: {limits: {memory: 1g«, cpus: '0.5'»}}}",
		"services.*.deploy.resources.limits.memory":            "deploy: {resources: {limits: {cpus: '1'«, memory: 1g»}}}",
		"services.*.deploy.resources.limits.pids":              "deploy: {resources: {limits: {cpus: '1'«, pids: 5»}}}",
		"services.*.deploy.resources.limits.devices":           "deploy: {resources: {limits: {cpus: '1'«, devices: [{capabilities: [gpu]}]»}}}",
		"services.*.deploy.resources.limits.generic_resources": "deploy: {resources: {limits: {cpus: '1'«, generic_resources: [{discrete_resource_spec: {kind: a, value: 1}}]»}}}",

		"services.*.deploy.resources.reservations.cpus":              "deploy: {resources: {reservations: {memory: 1g«, cpus: '1'»}}}",
		"services.*.deploy.resources.reservations.memory":            "deploy: {resources: {reservations: {cpus: '1'«, memory: 1g»}}}",
		"services.*.deploy.resources.reservations.pids":              "deploy: {resources: {reservations: {memory: 1g«, pids: 5»}}}",
		"services.*.deploy.resources.reservations.devices":           "deploy: {resources: {reservations: {memory: 1g«, devices: [{capabilities: [gpu]}]»}}}",
		"services.*.deploy.resources.reservations.generic_resources": "deploy: {resources: {reservations: {memory: 1g«, generic_resources: [{discrete_resource_spec: {kind: a, value: 1}}]»}}}",

		request + "capabilities": "deploy: {resources: {reservations: {devices: [{capabilities: [gpu«, compute»]}]}}}",
		request + "driver":       device + "«, driver: nvidia»}]}}}",
		request + "count":        device + "«, count: 1»}]}}}",
		request + "device_ids":   device + "«, device_ids: ['0']»}]}}}",
		request + "options":      device + "«, options: {a: b}»}]}}}",

		"services.*.deploy.restart_policy.condition":    "deploy: {restart_policy: {«condition: none»}}",
		"services.*.deploy.restart_policy.max_attempts": "deploy: {restart_policy: {condition: on-failure«, max_attempts: 3»}}",
		"services.*.deploy.restart_policy.delay":        "deploy: {restart_policy: {condition: on-failure«, delay: 3s»}}",
		"services.*.deploy.restart_policy.window":       "deploy: {restart_policy: {condition: on-failure«, window: 3s»}}",
	}
}

func sharedSnippets() map[string]string {
	network := func(lines string) string { return webOnly + "networks: {default: {" + lines + "}}\n" }
	volume := func(lines string) string {
		return "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {" + lines + "}}\n"
	}
	return map[string]string{
		"networks.*.name":        network("«name: n»"),
		"networks.*.driver":      network("«driver: macvlan»"),
		"networks.*.driver_opts": network("driver: bridge«, driver_opts: {a: b}»"),
		"networks.*.ipam":        network("«ipam: {config: [{subnet: 10.1.0.0/16}]}»"),
		"networks.*.external":    network("name: n«, external: true»"),
		"networks.*.internal":    network("«internal: true»"),
		"networks.*.attachable":  network("«attachable: true»"),
		"networks.*.labels":      network("«labels: {a: b}»"),
		"networks.*.enable_ipv4": network("«enable_ipv4: false»"),
		"networks.*.enable_ipv6": network("«enable_ipv6: true»"),

		"networks.*.ipam.driver":  network("ipam: {config: [{subnet: 10.1.0.0/16}]«, driver: a»}"),
		"networks.*.ipam.config":  network("ipam: {driver: a«, config: [{subnet: 10.1.0.0/16}]»}"),
		"networks.*.ipam.options": network("ipam: {driver: a«, options: {a: b}»}"),

		"networks.*.ipam.config.*.subnet":        network("ipam: {config: [{subnet: 10.1.0.0/1«6»}]}"),
		"networks.*.ipam.config.*.gateway":       network("ipam: {config: [{subnet: 10.1.0.0/16«, gateway: 10.1.0.9»}]}"),
		"networks.*.ipam.config.*.ip_range":      network("ipam: {config: [{subnet: 10.1.0.0/16«, ip_range: 10.1.2.0/24»}]}"),
		"networks.*.ipam.config.*.aux_addresses": network("ipam: {config: [{subnet: 10.1.0.0/16«, aux_addresses: {a: 10.1.0.8}»}]}"),

		"volumes.*.name":        volume("«name: n»"),
		"volumes.*.driver":      volume("«driver: nfs»"),
		"volumes.*.driver_opts": volume("driver: local«, driver_opts: {type: nfs}»"),
		"volumes.*.external":    volume("name: n«, external: true»"),
		"volumes.*.labels":      volume("«labels: {a: b}»"),
	}
}
