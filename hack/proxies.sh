#!/usr/bin/env bash
# Sees that nginx and HAProxy are here, which tests and benchmarks put into images
# of their own, the registry that tests push to, and Prometheus and its Alertmanager, by which metrics and
# alerts are tested, and prints where. Where one is missing, on a Debian-like machine
# and as root, the distribution's is installed; its service is neither started nor
# started at the next boot.
set -euo pipefail
# shellcheck source=hack/lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/sbin:/sbin # where a distribution keeps them, and not everybody looks
policy=/usr/sbin/policy-rc.d # is asked before a package starts its service

missing=()
for name in nginx haproxy docker-registry prometheus prometheus-alertmanager; do
	command -v "$name" || missing+=("$name")
done
if [ ${#missing[@]} = 0 ]; then exit 0; fi
if ! can_install; then
	die "not installed: ${missing[*]}" "install them with the system's package manager; make short needs neither"
fi
say "Not here, and needed by tests beside other proxies, of registries and of metrics: ${missing[*]}"

# A policy that is there already is somebody's decision, and stays.
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
refresh_packages
install_packages "${missing[@]}"
for name in "${missing[@]}"; do
	if have systemctl; then
		quietly systemctl disable "$name"
	elif have update-rc.d; then
		quietly update-rc.d "$name" disable
	fi
	command -v "$name" || die "the package $name brings no program of that name" "install one that does"
done
