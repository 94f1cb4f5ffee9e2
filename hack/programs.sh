#!/usr/bin/env bash
# Sees that what builds and tests call is here: make, git, what signs commits,
# certificates, and a C compiler, which the race detector is linked with. Everything
# that is shipped is built without one.
set -euo pipefail
# shellcheck source=hack/lib.sh
. "$(dirname "$0")/lib.sh"

have go || die "Go is not installed" "https://go.dev/doc/install; the version is in go.mod"
cc=$(go env CC)
missing=()
have make || missing+=(make)
have git || missing+=(git)
have gpg || missing+=(gnupg)
have ssh-keygen || missing+=(openssh-client)
have "$cc" || missing+=(gcc libc6-dev)
[ -e /etc/ssl/certs ] || missing+=(ca-certificates)
have systemd-analyze || missing+=(systemd) # it reads the units of deploy/systemd
if [ ${#missing[@]} = 0 ]; then exit 0; fi

if ! can_install; then
	die "not installed: ${missing[*]}" "install them with the system's package manager; make short needs neither engine nor C compiler"
fi
say "Not here, and needed to build and test: ${missing[*]}"
refresh_packages
install_packages "${missing[@]}"
