#!/usr/bin/env bash
# Previews one stack: Markdown on stdout, exit status as `pulumi preview`.
#   ci/preview.sh STACK
set -euo pipefail
stack=$1

printf '### Preview of %s\n\n' "${stack##*/}"
pulumi preview --stack "$stack" --diff --non-interactive --color never 2>&1 | sed -f "$(dirname "$0")/block.sed"
printf '\n'
