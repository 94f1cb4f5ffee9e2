#!/usr/bin/env bash
# Sees that a Docker engine answers. Where none does, on a Debian-like machine
# and as root, it says so, installs the distribution's engine and starts it.
# Quiet and without effect where an engine answers already.
set -euo pipefail
# shellcheck source=hack/lib.sh
. "$(dirname "$0")/lib.sh"

patience=${ENGINE_WAIT:-60} # seconds until a started engine has to answer
run=/var/run
log=/var/log/syncd-dockerd.log
ours= # set when dockerd was started here, and writes to $log

answers() { have docker && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# alive NAME tells whether a process of that name runs. One that was killed and
# never reaped does not; pgrep, which is not everywhere, would count it.
alive() {
	local status
	for status in $(grep -lsx "Name:[[:space:]]$1" /proc/[0-9]*/status); do
		if grep -qs '^State:[[:space:]][^ZX]' "$status"; then return 0; fi
	done
	return 1
}

refuse() { die "no Docker engine answers${1:+ ($1)}" "$2"; }

must_be_ours_to_start() {
	if [ -n "${DOCKER_HOST:-}" ]; then
		refuse "DOCKER_HOST=$DOCKER_HOST" "start that engine, or unset DOCKER_HOST to use this machine's own"
	fi
	if [ "$(uname -s)" != Linux ]; then
		refuse "" "start Docker Desktop, or whatever runs your engine, and try again"
	fi
	if [ "$(id -u)" != 0 ]; then
		refuse "or this user may not ask it" "sudo systemctl start docker; then sudo usermod -aG docker \$USER and log in anew, or run this as root"
	fi
}

install_engine() {
	if have docker && have dockerd; then return; fi
	if ! can_install; then
		refuse "docker or dockerd is not installed" "install Docker Engine for this system: https://docs.docker.com/engine/install/"
	fi
	say "No Docker engine is installed here, and this is a Debian-like machine where you are root:"
	say "the distribution's docker.io is going to be installed and started."
	refresh_packages
	if has_systemd; then
		install_packages docker.io docker-cli apparmor ca-certificates
	else
		install_packages docker.io docker-cli apparmor ca-certificates cgroupfs-mount
	fi
}

# drop_stale_pids: a killed engine leaves pid files, and a later process may have
# its number; dockerd would then refuse to start.
drop_stale_pids() {
	rm -f "$run/docker.pid"
	if ! alive containerd; then rm -f "$run/docker/containerd/containerd.pid"; fi
}

start_in_background() {
	drop_stale_pids
	if have cgroupfs-mount && ! mountpoint -q /sys/fs/cgroup; then cgroupfs-mount; fi
	say "starting dockerd in the background; its log is $log"
	setsid nohup dockerd >"$log" 2>&1 </dev/null &
	ours=1
}

start_engine() {
	if alive dockerd; then
		say "dockerd runs and does not answer yet; waiting"
	elif has_systemd; then
		say "starting docker.service"
		systemctl start docker || refuse "docker.service did not start" "journalctl -u docker -n 30"
	else
		start_in_background
	fi
}

await_engine() {
	local end=$((SECONDS + patience)) grace=$((SECONDS + 5))
	until answers; do
		if [ $SECONDS -ge $end ] || { [ $SECONDS -ge $grace ] && ! alive dockerd; }; then
			if [ -n "$ours" ]; then
				tail -n 20 "$log" >&2
				refuse "dockerd was started and waited for" "its log is $log; the last lines are above"
			fi
			refuse "waited $patience s" "read the engine's log, as with journalctl -u docker -n 30, or end a dockerd that hangs"
		fi
		sleep 0.5
	done
}

if answers; then exit 0; fi
must_be_ours_to_start
install_engine
if ! answers; then
	start_engine
	await_engine
fi
say "Docker engine $(docker version --format '{{.Server.Version}}') answers"
