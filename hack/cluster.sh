#!/usr/bin/env bash
# Sees that the shared test cluster answers: etcd, Kubernetes' own control plane
# and one real node, on this machine alone. What it needs of the distribution is
# installed on a Debian-like machine, as root; Kubernetes is built once, in about
# five minutes, into the user's cache. Quiet and quick where the cluster answers.
# hack/cluster.sh down ends it and removes all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=hack/lib.sh
. hack/lib.sh

needed() {
	have etcd || echo etcd-server
	if ! have containerd || ! have ctr; then echo containerd; fi
	have runc || echo runc
	have ip || echo iproute2
	have iptables || echo iptables
	[ -x /usr/lib/cni/bridge ] || echo containernetworking-plugins
}

install_needed() {
	local packages
	mapfile -t packages < <(needed)
	if [ ${#packages[@]} = 0 ]; then return; fi
	if ! can_install; then
		die "the test cluster needs ${packages[*]}" "install these, or run this on a Debian-like machine as root"
	fi
	refresh_packages
	install_packages "${packages[@]}"
	# The package starts an etcd for the machine, which nobody here asked for.
	if has_systemd && [[ " ${packages[*]} " = *" etcd-server "* ]]; then quietly systemctl disable --now etcd; fi
}

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
	die "the test cluster has a real node, which takes Linux and root" "run this as root, or make short for the tests that need neither"
fi
if [ "${1:-up}" = up ]; then install_needed; fi
go run ./hack/cluster "${1:-up}"
