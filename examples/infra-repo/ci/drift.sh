#!/usr/bin/env bash
# Compares what CHeKT holds with what the last `pulumi up` of one stack left, and changes nothing: Markdown on stdout.
# A change that is merged but not yet applied is no drift.
# Exit status: 0 no drift, 1 drift, 2 unknown.
#   ci/drift.sh STACK
set -euo pipefail
stack=$1

report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
pulumi refresh --stack "$stack" --preview-only --expect-no-changes --diff --non-interactive --color never \
  >"$report" 2>&1 || status=$?

if [ "$status" -eq 0 ]; then
  printf '### %s: no drift\n\n' "${stack##*/}"
  exit 0
fi
if [ "$status" -eq 7 ]; then # pulumi's status for changes where none were expected
  printf '### %s: drift\n\n%s\n\n' "${stack##*/}" \
    'CHeKT differs from what the last `pulumi up` left. `pulumi up --refresh` applies the program of main again.'
else
  printf '### %s: drift could not be looked for\n\n' "${stack##*/}"
fi
sed -f "$(dirname "$0")/block.sed" "$report"
printf '\n'
[ "$status" -eq 7 ] && exit 1
exit 2
