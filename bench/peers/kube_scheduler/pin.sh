#!/usr/bin/env bash
# The one place that names the release of kube-scheduler: writes go.mod and go.sum for it.
# k8s.io/kubernetes requires its staging modules at v0.0.0 and replaces them inside its own tree; a module that uses it has to
# replace each of them by the published one, v1.34.1 -> v0.34.1. The list is read from the release's own go.mod.
set -euo pipefail
release=v1.34.1
go=${GO:-go}
cd "$(dirname "$0")"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local

printf 'module binwright/bench/peers/kube_scheduler\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes %s\n' "$release" >go.mod
: >go.sum
theirs=$("$go" mod download -json "k8s.io/kubernetes@$release" | sed -nE 's/^\t"GoMod": "(.*)",$/\1/p')
{
    printf '\nreplace (\n'
    sed -nE "s#^\t(k8s\.io/[a-z0-9-]+) v0\.0\.0\$#\t\1 => \1 v0${release#v1}#p" "$theirs"
    printf ')\n'
} >>go.mod
"$go" mod tidy
