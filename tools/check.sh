#!/bin/sh
# What `make check` runs, with .venv first on PATH.
set -eu
ruff check
ruff format --check
mypy
# Each example is a project of its own: its modules are named from its own folder.
for project in examples/*/; do
    MYPYPATH="$project" mypy "$project"
done
lint-imports
# The workflows that examples hand to users; offline, so that it needs neither network nor a token.
zizmor --offline --no-progress --quiet examples/*/
# On PyPI actionlint downloads its program from elsewhere while it is installed; as a Go module it comes whole.
if command -v go >/dev/null; then
    (cd tools/actionlint && GOWORK=off GOFLAGS=-mod=readonly go tool actionlint -shellcheck= -pyflakes= ../../examples/*/.github/workflows/*.yml)
else
    echo "There is no go on PATH: actionlint is left out." >&2
fi
