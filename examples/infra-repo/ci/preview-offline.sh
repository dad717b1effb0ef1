#!/usr/bin/env bash
# What the checked-out commit changes in one environment, compared with the commit BASE: Markdown on stdout.
# BASE is brought up on an emulator of CHeKT, with its state in a temporary folder, and this commit is previewed there.
# It needs no secret and no account, and touches neither CHeKT nor your state, so it is safe for code from forks.
#   ci/preview-offline.sh STACK BASE
set -euo pipefail
stack=$1 base=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/state" "$work/base" "$work/head"
git archive "$base" | tar -x -C "$work/base"
git archive HEAD | tar -x -C "$work/head"
export PULUMI_BACKEND_URL="file://$work/state" PULUMI_CONFIG_PASSPHRASE=""

if [ -f "$work/base/Pulumi.$stack.yaml" ]; then
  known="$work/base" before=(pulumi up --cwd "$work/base" --stack "$stack" --yes --skip-preview --non-interactive)
else
  known="$work/head" before=(true) # a new environment: nothing of it is there yet
fi
pulumi stack init "$stack" --cwd "$known" >&2
dealer=$(pulumi config get chekt:dealerId --stack "$stack" --cwd "$known")

# The stack file names the dealer, not the environment: a branch that changes it shows what that replaces.
cd "$work/head"
chekt emulator --dealer "$dealer" -- env -u CHEKT_DEALER_ID \
  bash -euc 'stack=$1; shift; "$@" >&2; ci/preview.sh "$stack"' bash "$stack" "${before[@]}"
