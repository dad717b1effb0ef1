#!/bin/sh
# Fits requirements.lock to pyproject.toml, and each example's requirements.txt to its requirements.in, with the same
# versions.
set -eu

compile() {
	"$root/.venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}

root=$PWD
compile pyproject.toml --all-extras --group dev --output-file requirements.lock

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/.venv/bin/python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/wheels" "$root"
sed -n 's/^\([A-Za-z0-9._-]*==[^ ;]*\).*/\1/p' requirements.lock >"$work/constraints.txt"
for example in infra-repo rollout; do
	cp "examples/$example/requirements.in" "$work"
	(cd "$work" && compile requirements.in --no-emit-package chekt-provider --constraint constraints.txt --output-file "$root/examples/$example/requirements.txt")
done
