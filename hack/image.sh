#!/usr/bin/env bash
# Builds syncd's image. Where the build stage's base image is here or can be had,
# this is docker build; else the same last stage is built from this machine's own
# Go, so that no registry is needed.
# usage: hack/image.sh [--local] [TAG], default syncd:dev
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=hack/lib.sh
. hack/lib.sh

local_only=
if [ "${1:-}" = --local ]; then
	local_only=1
	shift
fi
tag=${1:-syncd:dev}
version=${VERSION:-dev}
base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)

has_base() { docker image inspect "$base" >/dev/null 2>&1 || timeout 60 docker pull -q "$base" >/dev/null 2>&1; }

if [ -z "$local_only" ] && has_base; then
	exec docker build -t "$tag" --build-arg "VERSION=$version" .
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
say "building $tag from this machine's Go: the base image $base is not used"
make -s stage STAGE="$context/root" VERSION="$version"
sed -n '/^FROM scratch$/,$p' Dockerfile | sed 's|^COPY --from=build /out/ /$|COPY root/ /|' >"$context/Dockerfile"
if ! docker build -q -t "$tag" --build-arg "VERSION=$version" "$context" >/dev/null 2>"$context/log"; then
	cat "$context/log" >&2
	die "could not build $tag" "see above; docker info tells whether the engine is well"
fi
say "built $tag"
