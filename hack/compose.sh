#!/usr/bin/env bash
# Sees that Docker Compose is here, which the adoption tests start projects with,
# and prints how it is called: "docker compose" or "docker-compose". Where it is
# missing, on a Debian-like machine and as root, the distribution's is installed.
set -euo pipefail
# shellcheck source=hack/lib.sh
. "$(dirname "$0")/lib.sh"

find_compose() {
	if have docker && docker compose version >/dev/null 2>&1; then
		echo "docker compose"
	elif have docker-compose && docker-compose version >/dev/null 2>&1; then
		echo "docker-compose"
	else
		return 1
	fi
}

if find_compose; then exit 0; fi
if ! can_install; then
	die "Docker Compose is not installed" "install it: https://docs.docker.com/compose/install/linux/"
fi
say "Docker Compose is missing, and the adoption tests need it."
refresh_packages
for name in docker-compose-v2 docker-compose-plugin docker-compose; do
	if known_package "$name"; then
		install_packages "$name"
		break
	fi
done
find_compose || die "no package of this distribution brings Docker Compose" "install it: https://docs.docker.com/compose/install/linux/"
