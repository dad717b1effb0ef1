#!/bin/sh
# What `make check` runs, with .venv first on PATH.
set -eu
ruff check
ruff format --check
mypy
lint-imports
