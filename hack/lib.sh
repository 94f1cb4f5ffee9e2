# shellcheck shell=bash
# What the scripts beside this one share. Messages go to stderr: stdout is for
# results that a caller reads.

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE HINT ends the script the way syncd itself reports an error.
die() {
	say "error: $1"
	say "hint: $2"
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

has_systemd() { [ -d /run/systemd/system ]; }

# can_install tells whether packages of the distribution may be installed.
can_install() { [ "$(id -u)" = 0 ] && have apt-get; }

# quietly COMMAND... shows what a command says only where it fails.
quietly() {
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# refresh_packages brings the package lists up to date. When that fails the
# lists that are there may still do; if not, the install says so.
refresh_packages() {
	DEBIAN_FRONTEND=noninteractive quietly apt-get update -o DPkg::Lock::Timeout=120 ||
		say "the package lists could not be refreshed; going on with those that are here"
}

known_package() { [ -n "$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9].*\)/\1/p')" ]; }

# install_packages NAME... installs those that the distribution knows. It never
# removes anything: a Docker that came from elsewhere stays what it is.
install_packages() {
	local name wanted=()
	for name in "$@"; do
		if known_package "$name"; then wanted+=("$name"); fi
	done
	if [ ${#wanted[@]} = 0 ]; then die "the distribution knows no package $*" "see apt-get update and the package sources"; fi
	say "installing from the distribution's packages: ${wanted[*]}"
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a quietly apt-get install -y --no-remove --no-install-recommends \
		-o DPkg::Lock::Timeout=120 "${wanted[@]}" ||
		die "the packages could not be installed" "see above"
}
