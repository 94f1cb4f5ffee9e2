#!/usr/bin/env bash
# Builds the example's images on this machine, without a registry: NAME:1, NAME:2,
# and NAME:3, whose health check fails.
# usage: hack/example-images.sh [NAME [DOCKER-BUILD-ARGUMENT...]], default syncd-example
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=hack/lib.sh
. hack/lib.sh

name=${1:-syncd-example}
if [ $# -gt 0 ]; then shift; fi
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$context/app" ./examples/app

for version in 1 2 3; do
	broken=
	if [ "$version" = 3 ]; then broken=1; fi
	if ! docker build -q -t "$name:$version" --build-arg "VERSION=$version" --build-arg "BROKEN=$broken" "$@" \
		-f examples/app/Dockerfile "$context" >"$context/id" 2>"$context/log"; then
		cat "$context/log" >&2
		die "could not build $name:$version" "see above; docker info tells whether the engine is well"
	fi
	say "built $name:$version"
done
